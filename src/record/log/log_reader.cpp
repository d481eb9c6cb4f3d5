#include "record/log/log_reader.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/yaml.h"

#include "record/log/entry_reader.h"
#include "record/log/finished.h"
#include "record/log/log_lines.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFileName = "indexed_metrics.yml";
constexpr std::string_view kAnnotatorsName = "annotator_preds.yml";

std::string known_experiments(const std::vector<Block>& blocks) {
  std::string known;
  for (const Block& block : blocks) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", block.index);
  }
  return known;
}

files::MappedFile open_log(const fs::path& path) {
  if (!fs::exists(path)) {
    throw DataError(
        fmt::format("{}: no such file; expected the folder of a finished run", path.string()));
  }
  return files::MappedFile(path);
}

// The wanted experiment's lines, or the last one's.
Block choose(const std::vector<Block>& blocks, std::optional<int> index, const fs::path& path) {
  const auto block = index ? std::find_if(blocks.begin(), blocks.end(),
                                          [&](const Block& b) { return b.index == *index; })
                           : (blocks.empty() ? blocks.end() : blocks.end() - 1);
  if (block == blocks.end()) {
    throw ConfigError(
        fmt::format("{}: {} (there are: {})", path.string(),
                    index ? fmt::format("no experiment {}", *index) : "no experiments",
                    known_experiments(blocks)));
  }
  return *block;
}

// The experiment's lines. Where the manifest says which bytes they are, these have to be as they
// were when it was finished; nothing where it says that the file has none of it.
std::optional<Lines> find_lines(const fs::path& path, const files::MappedFile& file, int index) {
  const std::optional<Experiment> noted = find_noted(path.parent_path(), index);
  if (!noted || noted->parts.empty()) {
    for (const Block& block : find_blocks(file.text())) {
      if (block.index == index) return block.lines;
    }
    return std::nullopt;
  }
  const auto found = noted->parts.find(path.filename().string());
  if (found == noted->parts.end()) return std::nullopt;
  const std::string_view text = file.text();
  const std::string_view own =
      check_part(text, path, static_cast<std::size_t>(index), *noted, found->second);
  const auto n_before = std::count(
      text.begin(), text.begin() + static_cast<std::ptrdiff_t>(found->second.begin), '\n');
  return Lines{own, static_cast<std::size_t>(n_before)};
}

// annotator_preds.yml, and those with a description before their name; sorted.
std::vector<fs::path> annotator_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == kAnnotatorsName || name.ends_with(fmt::format("-{}", kAnnotatorsName))) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Throws DataError if a file that the manifest names is not there.
void check_annotator_files(const fs::path& folder, int index) {
  const std::optional<Experiment> noted = find_noted(folder, index);
  if (!noted) return;
  for (const auto& [name, part] : noted->parts) {
    if (name.ends_with(kAnnotatorsName) && !fs::exists(folder / name)) {
      check_part("", folder / name, static_cast<std::size_t>(index), *noted, part);
    }
  }
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

std::vector<int> logged_experiments(const fs::path& folder) {
  const files::MappedFile file = open_log(folder / kFileName);
  std::vector<int> indices;
  for (const Block& block : find_blocks(file.text())) indices.push_back(block.index);
  return indices;
}

LogEntries open_items(const fs::path& folder, const files::MappedFile& file, int index) {
  const fs::path path = folder / kFileName;
  const std::optional<Lines> lines = find_lines(path, file, index);
  return {path, lines ? *lines : choose(find_blocks(file.text()), index, path).lines};
}

files::MappedFile open_items_file(const fs::path& folder) {
  return open_log(folder / kFileName);
}

std::vector<ItemRecord> read_items(const fs::path& folder, int index) {
  const files::MappedFile file = open_items_file(folder);
  const LogEntries entries = open_items(folder, file, index);
  std::vector<ItemRecord> items;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    items.push_back(read_entry(entries.key(i), entries.parse(i)));
  }
  return items;
}

std::vector<ItemRecord> read_annotator_items(const fs::path& folder,
                                             int index,
                                             const WantedExample& is_wanted) {
  std::vector<ItemRecord> items;
  check_annotator_files(folder, index);
  for (const fs::path& path : annotator_files(folder)) {
    const files::MappedFile file(path);
    const std::optional<Lines> lines = find_lines(path, file, index);
    if (!lines) continue;
    const LogEntries annotators(path, *lines);
    for (std::size_t i = 0; i < annotators.size(); ++i) {
      const LogEntries examples = annotators.below(i);
      for (std::size_t k = 0; k < examples.size(); ++k) {
        if (is_wanted && !is_wanted(examples.key(k))) continue;
        const ItemId item = {.example_id = examples.key(k), .annotator = annotators.key(i)};
        items.push_back(read_entry(item.log_key(), examples.parse(k)));
        items.back().annotator = annotators.key(i);
        items.back().known_form = &kPlainItems;
      }
    }
  }
  return items;
}

}  // namespace labelprobe::record
