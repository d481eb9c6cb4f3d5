#include "app/commands/logged_run.h"

#include "labelprobe/analysis/run_items.h"
#include "labelprobe/core/error.h"

namespace labelprobe::app {

LoggedRun load_run(const std::filesystem::path& folder,
                   std::optional<int> experiment,
                   ModelState state,
                   const std::string& task,
                   const LabelSet& label_set) {
  LoggedRun run{record::read_run(folder, experiment)};
  run.kind = analysis::kind_of(run);
  run.is_tuned = state == ModelState::Tuned;
  if (run.kind == ItemId::Kind::Ratio) {
    throw ConfigError(describe(run) +
                      ": expected a baseline, unary or binary run, found one of demonstration "
                      "ratios (multilabel_ICL), which has no estimator");
  }
  if (run.is_tuned && run.kind != ItemId::Kind::Example) {
    throw ConfigError(describe(run) + ": expected a baseline run of the fine-tuned model, found " +
                      std::string(distribution_name(run.kind)));
  }
  record::check_labels(run, task, label_set);
  return run;
}

}  // namespace labelprobe::app
