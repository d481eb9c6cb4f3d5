#include "labelprobe/analysis/run_log.h"

#include <fmt/format.h>

#include "labelprobe/analysis/run_items.h"
#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

RunLog read_run_log(const std::filesystem::path& folder,
                    std::optional<int> experiment,
                    ModelState state,
                    const std::string& task,
                    const LabelSet& label_set) {
  RunLog run{record::read_run(folder, experiment)};
  const ItemForm& form = item_form_of(run);
  run.model_state = state;
  if (&form == &kRatioItems) {
    throw ConfigError(describe(run) +
                      ": expected a baseline, unary or binary run, found one of demonstration "
                      "ratios (multilabel_ICL), which has no estimator");
  }
  if (state == ModelState::Tuned && &form != &kPlainItems) {
    throw ConfigError(fmt::format("{}: expected a baseline run of the fine-tuned model, found {}",
                                  describe(run), run.plan));
  }
  record::check_labels(run, task, label_set);
  return run;
}

}  // namespace labelprobe::analysis
