// manifest.json and numbers.yml of a folder of runs.
#include "record/folder/manifest.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"
#include "record/log/aggregates.h"

namespace labelprobe::fuzz {

void manifest(std::string_view input) {
  const auto parts = parts_of(input, 2);
  const auto& folder = folder_with({{"manifest.json", parts[0]}, {"numbers.yml", parts[1]}});
  if (parts[1]) keep(record::load_numbers(folder / "numbers.yml").size());
  const record::Manifest read = record::Manifest::load(folder / "manifest.json");
  const std::string text = read.encode();
  const record::Manifest again = record::Manifest::load(file_with("manifest.json", text));
  LABELPROBE_CHECK(again.encode() == text);
}

}  // namespace labelprobe::fuzz
