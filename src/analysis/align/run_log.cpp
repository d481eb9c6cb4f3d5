#include "labelprobe/analysis/run_log.h"

#include <fmt/format.h>

#include "labelprobe/analysis/run_items.h"
#include "labelprobe/core/error.h"

namespace labelprobe::analysis {
namespace {

// What people call a model with LoRA's updates: fine-tuned.
bool has_adapter(const record::LoggedRun& run) {
  const auto adapter = run.params.find("adapter");
  return adapter != run.params.end() && !adapter->second.empty() && adapter->second != "null";
}

}  // namespace

RunLog read_run_log(const std::filesystem::path& folder,
                    std::optional<int> experiment,
                    ModelState state,
                    const std::string& task,
                    const LabelSet& label_set) {
  RunLog run{record::read_run(folder, experiment)};
  const ItemForm& form = item_form_of(run);
  run.model_state = has_adapter(run) && &form == &kPlainItems ? ModelState::Tuned : state;
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
