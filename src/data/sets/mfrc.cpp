// Moral Foundations Reddit Corpus (Trager et al., 2022): final_mfrc_data.csv, the corpus as the hub
// publishes it, one row per text and annotator; splits.yaml, which texts make which split and their
// ids.
#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/reading/records.h"
#include "data/reading/text_ids_file.h"
#include "data/reading/votes.h"

namespace labelprobe::data {

namespace {

// In the order of the label set.
const std::vector<std::string> kFoundations = {"Authority",       "Care",  "Equality", "Loyalty",
                                               "Proportionality", "Purity"};
const std::array<std::string, 2> kNoFoundation = {"Non-Moral", "Thin Morality"};

struct Annotation {
  Labels labels;
  bool is_contradictory = false;  // a foundation beside "no foundation", or both kinds of that
};

bool means_no_foundation(const std::string& name) {
  return std::find(kNoFoundation.begin(), kNoFoundation.end(), name) != kNoFoundation.end();
}

Annotation parse_annotation(std::string_view field, const std::string& place) {
  std::vector<std::string> known = kFoundations;
  known.insert(known.end(), kNoFoundation.begin(), kNoFoundation.end());
  Annotation annotation;
  std::size_t n_names = 0;
  bool has_no_foundation = false;
  while (true) {
    const std::size_t comma = std::min(field.find(','), field.size());
    const std::string name(python::strip(field.substr(0, comma)));
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      throw DataError(
          fmt::format("{}: {}", place, unknown_choice("label", files::printable(name), known)));
    }
    ++n_names;
    if (means_no_foundation(name)) {
      has_no_foundation = true;
    } else {
      annotation.labels.push_back(static_cast<LabelIndex>(found - known.begin()));
    }
    if (comma == field.size()) {
      break;
    }
    field.remove_prefix(comma + 1);
  }
  annotation.is_contradictory = has_no_foundation && n_names > 1;
  annotation.labels = sorted_labels(std::move(annotation.labels));
  return annotation;
}

// The examples of one split while the rows come in, in the order of their first row.
class SplitBuilder {
 public:
  SplitBuilder(std::string split, TextIds ids) : split_(std::move(split)), ids_(std::move(ids)) {}

  void add(const files::TableRow& row) {
    const auto& [text, annotator, annotation_field] =
        std::tie(row.fields[0], row.fields[1], row.fields[2]);
    const auto id = ids_.find(text);
    if (id == ids_.end()) {
      return;
    }
    check_annotator(annotator, row.place);
    Annotation annotation = parse_annotation(annotation_field, row.place);
    if (annotation.is_contradictory) {
      ++n_contradictory_;
      return;
    }
    const auto [position, is_new] = position_of_.emplace(id->second, records_.size());
    if (is_new) {
      records_.push_back({id->second, text, {}});
      places_.push_back(row.place);
    }
    set_vote(records_[position->second].votes, {annotator, std::move(annotation.labels)});
  }

  SplitRecords finish(std::vector<std::string>& warnings) {
    const std::string place = fmt::format("MFRC, split {}: ", split_);
    if (n_contradictory_ > 0) {
      warnings.push_back(fmt::format(
          "{}{} rows that have Non-Moral or Thin Morality beside another label are left out", place,
          n_contradictory_));
    }
    if (records_.size() < ids_.size()) {
      warnings.push_back(fmt::format(
          "{}{} of {} texts of splits.yaml have no annotation that counts and are left out", place,
          ids_.size() - records_.size(), ids_.size()));
    }
    SplitRecords split(split_);
    for (std::size_t i = 0; i < records_.size(); ++i) {
      // Ties count as labels: the mean over the annotators is at least 0.5.
      records_[i].votes.push_back({std::string(kAggregate), labels_of_half(records_[i].votes)});
      split.add(std::move(records_[i]), places_[i]);
    }
    return split;
  }

 private:
  std::string split_;
  TextIds ids_;
  std::vector<Record> records_;
  std::vector<std::string> places_;
  std::unordered_map<std::string, std::size_t> position_of_;
  std::size_t n_contradictory_ = 0;
};

}  // namespace

LoadedSplits load_mfrc(const DatasetOptions& options) {
  static const std::array<std::string, 3> kSplits = {"train", "dev", "test"};
  static constexpr std::array<std::string_view, 3> kColumns = {"text", "annotator", "annotation"};
  for (const std::string& split : options.splits) {
    check_split("MFRC", split, kSplits);
  }
  const std::filesystem::path rows_path = options.root_dir / "final_mfrc_data.csv";
  files::open_file(
      rows_path,
      "the annotations of the corpus, the CSV file of USC-MOLA-Lab/MFRC on the Hugging Face "
      "hub (text,subreddit,bucket,annotator,annotation,confidence)");
  std::vector<TextIds> texts = read_text_ids(options.root_dir / "splits.yaml", options.splits);
  std::vector<SplitBuilder> builders;
  for (std::size_t i = 0; i < options.splits.size(); ++i) {
    builders.emplace_back(options.splits[i], std::move(texts[i]));
  }
  files::for_each_row_of(open_data_file(rows_path), ',', kColumns, swallowed_rows(options),
                         [&](const files::TableRow& row) {
                           for (SplitBuilder& builder : builders) {
                             builder.add(row);
                           }
                         });
  LoadedSplits loaded;
  for (SplitBuilder& builder : builders) {
    loaded.splits.push_back(builder.finish(loaded.warnings));
  }
  loaded.label_set = keep_labels_found("MFRC", kFoundations, LabelKind::MultiLabel, loaded.splits);
  return loaded;
}

}  // namespace labelprobe::data
