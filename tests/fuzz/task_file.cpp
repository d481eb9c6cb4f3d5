// A task file and a table that it may name.
#include "labelprobe/data/task_file.h"

#include <string>

#include "labelprobe/data/dataset.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void task_file(std::string_view input) {
  const auto parts = parts_of(input, 3);
  const auto& folder =
      folder_with({{"task.yaml", parts[0]}, {"rows.csv", parts[1]}, {"votes.csv", parts[2]}});
  const std::string task = (folder / "task.yaml").string();
  keep(data::task_options(task).size());
  data::DatasetOptions options;
  options.splits = {"train"};
  options.annotation_mode = data::AnnotationMode::Both;
  keep(data::load(task, options).examples.size());
}

}  // namespace labelprobe::fuzz
