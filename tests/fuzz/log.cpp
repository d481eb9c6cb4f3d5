// A log as it is read back: indexed_metrics.yml, params.yml, annotator_preds.yml, manifest.json.
#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/run_list.h"
#include "labelprobe/record/run_view.h"
#include "labelprobe/record/training_log.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void log(std::string_view input) {
  const auto parts = parts_of(input, 4);
  const auto& folder = folder_with({{"indexed_metrics.yml", parts[0]},
                                    {"params.yml", parts[1]},
                                    {"annotator_preds.yml", parts[2]},
                                    {"manifest.json", parts[3]}});
  attempt([&] { keep(record::read_run(folder).items.size()); });
  attempt([&] { keep(record::read_score_lists(folder, 0).size()); });
  attempt([&] {
    std::vector<std::string> notes;
    keep(record::list_runs(folder, record::Verify::Bytes, notes).size());
  });
  const record::RunView view = record::RunView::open(folder);
  for (std::size_t place = 0; place < view.keys().size(); ++place) {
    attempt([&] { keep(view.read(place).outs.size()); });
  }
  keep(view.votes("de0").size());
}

}  // namespace labelprobe::fuzz
