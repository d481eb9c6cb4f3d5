// Boxes (Kim & Schuster, ACL 2023), the entity tracking sets in their in-context form:
// objects.txt and <subset>/<split>-t5.jsonl.
#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace {

constexpr std::string_view kMask = "<extra_id_0>";
constexpr std::string_view kNothing = "nothing";  // content of an empty box

// The published code builds its label vectors over the sorted names and keeps the order of the file
// in its label set, which permutes the labels; here the order of the file is the only one.
LabelSet read_objects(const std::filesystem::path& path) {
  const files::MappedFile file = open_data_file(path);
  files::check_utf8(file);
  const std::vector<std::string> lines = files::read_lines(file);
  if (lines.empty() || python::strip(lines.front()).empty()) {
    throw DataError(path.string() +
                    ":1: expected comma-separated names of objects, found an empty line");
  }
  std::vector<std::string> names;
  std::istringstream line(lines.front());
  for (std::string name; std::getline(line, name, ',');) {
    names.emplace_back(python::strip(name));
  }
  try {
    return LabelSet(names, LabelKind::MultiLabel);
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}:1: {}", path.string(), error.what()));
  }
}

// "<extra_id_0> the ball and the map" -> "ball", "map". Articles and `and` count as whole words:
// taken out as letters, as in the published code, they would break names such as "feather".
std::vector<std::string> items_of(std::string_view content) {
  std::istringstream words{std::string(content.substr(kMask.size()))};
  std::vector<std::string> items = {""};
  for (std::string word; words >> word;) {
    if (word == "and") {
      items.emplace_back();
    } else if (word != "the") {
      items.back() += (items.back().empty() ? "" : " ") + word;
    }
  }
  std::erase(items, "");
  return items;
}

class BoxesReader {
 public:
  BoxesReader(const LabelSet& objects, std::string split)
      : objects_(objects), records_(std::move(split)) {}

  void read_row(const files::JsonView& row) {
    const std::string sample_id = id_of(row.at("sample_id"));
    n_of_sample_ = sample_id == sample_id_ ? n_of_sample_ + 1 : 0;
    sample_id_ = sample_id;
    records_.add({fmt::format("{}-{}", sample_id, n_of_sample_),
                  text_of(row.at("sentence_masked")),
                  {{std::string(kAggregate), labels_of(row.at("masked_content"))}}},
                 row.place());
  }

  SplitRecords finish(std::vector<std::string>& warnings) {
    if (!unknown_.empty()) {
      warnings.push_back(fmt::format(
          "Boxes, split {}: {} mentions of objects that objects.txt does not list are left out: {}",
          records_.split(), unknown_.size(), files::some_of(unknown_)));
    }
    return std::move(records_);
  }

 private:
  static std::string text_of(const files::JsonView& sentence) {
    const std::string_view masked = sentence.string();
    const std::size_t mask = masked.find(kMask);
    if (mask == std::string_view::npos) {
      sentence.fail(fmt::format("expected {} in the sentence, found none", kMask));
    }
    return std::string(python::strip(masked.substr(0, mask)));
  }

  Labels labels_of(const files::JsonView& masked_content) {
    const std::string& content = masked_content.string();
    if (!content.starts_with(kMask)) {
      masked_content.fail_expected(fmt::format("a text that begins with {}", kMask));
    }
    Labels labels;
    for (const std::string& item : items_of(content)) {
      if (const auto label = objects_.index_of(item)) {
        labels.push_back(*label);
      } else if (item != kNothing) {
        unknown_.push_back(item);
      }
    }
    return sorted_labels(std::move(labels));
  }

  const LabelSet& objects_;
  SplitRecords records_;
  std::string sample_id_;
  std::size_t n_of_sample_ = 0;
  std::vector<std::string> unknown_;
};

std::string file_of(const std::string& split) {
  const std::string part = split == "train"  ? "train-subset"
                           : split == "test" ? "test-subsample-states"
                                             : split;
  return part + "-t5.jsonl";
}

}  // namespace

LoadedSplits load_boxes(const DatasetOptions& options) {
  static const std::array<std::string, 3> kSplits = {"train", "dev", "test"};
  static const std::array<std::string, 2> kSubsets = {"few_shot_boxes_nso_exp2_max3",
                                                      "few_shot_boxes_nso_exp2_max3_move_contents"};
  for (const std::string& split : options.splits) {
    check_split("Boxes", split, kSplits);
  }
  if (std::find(kSubsets.begin(), kSubsets.end(), options.subset) == kSubsets.end()) {
    throw ConfigError(unknown_choice("Boxes subset", options.subset, kSubsets));
  }
  LoadedSplits loaded;
  loaded.label_set = read_objects(options.root_dir / "objects.txt");
  for (const std::string& split : options.splits) {
    const std::filesystem::path path = options.root_dir / options.subset / file_of(split);
    BoxesReader reader(loaded.label_set, split);
    for_each_json_line(path, [&](const files::JsonView& row) { reader.read_row(row); });
    loaded.splits.push_back(reader.finish(loaded.warnings));
    if (loaded.splits.back().records().empty()) {
      throw DataError(path.string() + ":1: expected rows, found an empty file");
    }
  }
  return loaded;
}

}  // namespace labelprobe::data
