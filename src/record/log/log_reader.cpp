#include "labelprobe/record/log_reader.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <string>
#include <string_view>

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/files/mapped_file.h"

#include "record/log/entry_reader.h"

namespace labelprobe::record {

namespace {

constexpr std::string_view kFileName = "indexed_metrics.yml";
constexpr std::string_view kAnnotatorsName = "annotator_preds.yml";
constexpr std::string_view kPrefix = "experiment_";

// A top-level entry's lines: only the wanted experiment is parsed, however many stand before it.
struct Block {
  int index = 0;
  std::size_t first_line = 0;  // from 0
  std::string_view text;
};

std::vector<Block> find_blocks(std::string_view text) {
  std::vector<Block> blocks;
  std::size_t line_number = 0;
  for (std::size_t at = 0; at < text.size(); ++line_number) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(kPrefix)) {
      Block block;
      const char* digits = line.data() + kPrefix.size();
      const auto [stop, error] = std::from_chars(digits, line.data() + line.size(), block.index);
      if (error == std::errc() && stop != line.data() + line.size() && *stop == ':') {
        block.first_line = line_number;
        block.text = text.substr(at, 0);
        blocks.push_back(block);
      }
    }
    if (!blocks.empty()) {
      blocks.back().text =
          std::string_view(blocks.back().text.data(),
                           static_cast<std::size_t>(text.data() + end - blocks.back().text.data()));
    }
    at = end;
  }
  return blocks;
}

std::string known_experiments(const std::vector<Block>& blocks) {
  std::string known;
  for (const Block& block : blocks) {
    known += (known.empty() ? "" : ", ") + std::to_string(block.index);
  }
  return known;
}

// The wanted experiment's lines, or the last one's.
Block choose(const std::vector<Block>& blocks,
             std::optional<int> index,
             const std::filesystem::path& path) {
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

files::MappedFile open_log(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    throw DataError(path.string() + ": no such file; expected the folder of a finished run");
  }
  return files::MappedFile(path);
}

// Calls `take` with every entry of the block and its key. `description` and whatever else is no
// mapping is passed over.
void each_entry(const EntryPlace& place,
                const Block& block,
                const std::function<void(const std::string&, const YAML::Node&)>& take) {
  try {
    const YAML::Node root = YAML::Load(std::string(block.text));
    const YAML::Node entries = root.begin()->second;
    if (!entries.IsMap()) {
      throw DataError(place.file + ":" + std::to_string(block.first_line + 1) +
                      ": expected a mapping of ids to entries");
    }
    for (const auto& entry : entries) {
      if (entry.second.IsMap()) {
        take(entry.first.Scalar(), entry.second);
      }
    }
  } catch (const YAML::Exception& error) {
    throw DataError(place.file + ":" +
                    std::to_string(block.first_line +
                                   static_cast<std::size_t>(std::max(error.mark.line, 0)) + 1) +
                    ": " + error.msg);
  }
}

// annotator_preds.yml, and those with a description before their name; sorted.
std::vector<std::filesystem::path> annotator_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == kAnnotatorsName || name.ends_with("-" + std::string(kAnnotatorsName))) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

LoggedExperiment read_experiment(const std::filesystem::path& folder, std::optional<int> index) {
  const std::filesystem::path path = folder / kFileName;
  const files::MappedFile file = open_log(path);
  const Block block = choose(find_blocks(file.text()), index, path);
  const EntryPlace place{path.string(), block.first_line};
  LoggedExperiment experiment{block.index, {}};
  each_entry(place, block, [&](const std::string& key, const YAML::Node& entry) {
    experiment.items.push_back(read_entry(place, key, entry));
  });
  return experiment;
}

std::vector<ItemRecord> read_annotator_predictions(const std::filesystem::path& folder,
                                                   std::optional<int> index) {
  const std::filesystem::path log = folder / kFileName;
  const int wanted = choose(find_blocks(open_log(log).text()), index, log).index;
  std::vector<ItemRecord> items;
  for (const std::filesystem::path& path : annotator_files(folder)) {
    const files::MappedFile file(path);
    for (const Block& block : find_blocks(file.text())) {
      if (block.index != wanted) {
        continue;
      }
      const EntryPlace place{path.string(), block.first_line};
      each_entry(place, block, [&](const std::string& annotator, const YAML::Node& examples) {
        for (const auto& entry : examples) {
          const ItemId item = {.example_id = entry.first.Scalar(), .annotator = annotator};
          items.push_back(read_entry(place, item.log_key(), entry.second));
          items.back().annotator = annotator;
        }
      });
    }
  }
  return items;
}

}  // namespace labelprobe::record
