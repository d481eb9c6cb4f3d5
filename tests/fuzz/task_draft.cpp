// Data that describe themselves: a folder as the Hugging Face hub has them, or a table whose
// columns are looked at.
#include "labelprobe/data/task_draft.h"

#include <string>

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void task_draft(std::string_view input) {
  const auto parts = parts_of(input, 3);
  const auto& folder = folder_with(
      {{"README.md", parts[0]}, {"train.jsonl", parts[1]}, {"dataset_infos.json", parts[2]}});
  for (const std::string& subject : {folder.string(), (folder / "train.jsonl").string()}) {
    attempt([&] { keep(data::draft_task(subject, {}).text.size()); });
  }
}

}  // namespace labelprobe::fuzz
