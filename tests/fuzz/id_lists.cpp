// Lists of ids, texts with their ids as YAML, and chains of thought as CSV.
#include "data/reading/id_lists.h"

#include "labelprobe/data/cot_file.h"

#include "data/reading/text_ids_file.h"
#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void id_lists(std::string_view input) {
  const auto file = file_with("ids.txt", input);
  data::DatasetOptions options;
  options.ids_filenames = {file.string()};
  options.splits = {"train"};
  data::SplitRecords train("train");
  train.add({"de0", "It rains.", {}}, "a:1");
  std::vector<data::SplitRecords> splits;
  splits.push_back(std::move(train));
  std::vector<std::string> warnings;
  keep(data::allowed_ids(options, splits, warnings)->size());
  attempt([&] { keep(data::read_text_ids(file, options.splits).size()); });
  attempt([&] { keep(data::load_cots(file).size()); });
}

}  // namespace labelprobe::fuzz
