#include "record/log/log_reader.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/yaml.h"

#include "record/log/entry_reader.h"
#include "record/log/log_lines.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFileName = "indexed_metrics.yml";
constexpr std::string_view kAnnotatorsName = "annotator_preds.yml";

std::string known_experiments(const std::vector<Block>& blocks) {
  std::string known;
  for (const Block& block : blocks) {
    known += (known.empty() ? "" : ", ") + std::to_string(block.index);
  }
  return known;
}

files::MappedFile open_log(const fs::path& path) {
  if (!fs::exists(path)) {
    throw DataError(path.string() + ": no such file; expected the folder of a finished run");
  }
  return files::MappedFile(path);
}

// The wanted experiment's lines, or the last one's.
Block choose(const std::vector<Block>& blocks, std::optional<int> index, const fs::path& path) {
  const auto block = index ? std::find_if(blocks.begin(), blocks.end(),
                                          [&](const Block& b) { return b.index == *index; })
                           : (blocks.empty() ? blocks.end() : blocks.end() - 1);
  if (block == blocks.end()) {
    throw ConfigError(path.string() + ": " +
                      (index ? "no experiment " + std::to_string(*index) : "no experiments") +
                      " (there are: " + known_experiments(blocks) + ")");
  }
  return *block;
}

using TakeEntry = std::function<void(const std::string& key, const files::YamlView& entry)>;

// Calls `take` with every entry of the mapping. `description` and whatever else is no mapping is
// passed over.
void take_entries(const files::YamlView& entries, const TakeEntry& take) {
  if (!entries.is_map()) entries.fail_expected("a mapping of ids to entries");
  for (const auto& [key, entry] : entries.members()) {
    if (entry.is_map()) take(key.text(), entry);
  }
}

// Calls `take` with every entry of the block and its key. A parsed entry is many times its text:
// only one of them is in memory at a time.
void each_entry(const fs::path& path, const Block& block, const TakeEntry& take) {
  for (const Lines& lines : find_entries(block.lines)) {
    const files::YamlView root =
        files::parse_yaml(lines.text, {path.string(), ErrorKind::Data, lines.first_line});
    const bool is_whole = lines.first_line == block.lines.first_line;
    take_entries(is_whole ? root.members().at(0).second : root, take);
  }
}

// annotator_preds.yml, and those with a description before their name; sorted.
std::vector<fs::path> annotator_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == kAnnotatorsName || name.ends_with("-" + std::string(kAnnotatorsName))) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

bool has_items(const fs::path& folder) {
  std::error_code error;
  const auto size = fs::file_size(folder / kFileName, error);
  return !error && size > 0;
}

int choose_logged(const fs::path& folder, std::optional<int> index) {
  const files::MappedFile file = open_log(folder / kFileName);
  return choose(find_blocks(file.text()), index, folder / kFileName).index;
}

std::vector<ItemRecord> read_items(const fs::path& folder, int index) {
  const fs::path path = folder / kFileName;
  const files::MappedFile file = open_log(path);
  std::vector<ItemRecord> items;
  each_entry(path, choose(find_blocks(file.text()), index, path),
             [&](const std::string& key, const files::YamlView& entry) {
               items.push_back(read_entry(key, entry));
             });
  return items;
}

std::vector<ItemRecord> read_annotator_items(const fs::path& folder, int index) {
  std::vector<ItemRecord> items;
  for (const fs::path& path : annotator_files(folder)) {
    const files::MappedFile file(path);
    for (const Block& block : find_blocks(file.text())) {
      if (block.index != index) continue;
      each_entry(path, block, [&](const std::string& annotator, const files::YamlView& examples) {
        for (const auto& [example_id, entry] : examples.members()) {
          const ItemId item = {.example_id = example_id.text(), .annotator = annotator};
          items.push_back(read_entry(item.log_key(), entry));
          items.back().annotator = annotator;
          items.back().known_form = &kPlainItems;
        }
      });
    }
  }
  return items;
}

}  // namespace labelprobe::record
