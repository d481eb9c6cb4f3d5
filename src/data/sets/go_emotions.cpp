// GoEmotions (Demszky et al., ACL 2020) in the files of its authors: <split>.tsv with the aggregate
// labels, goemotions_1.csv to _3.csv with the raters', emotions.txt with the names.
#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace {

constexpr std::size_t kNNames = 28;  // 27 emotions and `neutral`
constexpr std::string_view kNeutral = "neutral";

// How the 27 emotions of the files become the labels of the label set.
struct EmotionMap {
  std::vector<std::string> emotions;               // in the order of emotions.txt, without neutral
  std::vector<std::vector<LabelIndex>> labels_of;  // per emotion; empty: it counts as no label
  LabelSet label_set;
};

std::vector<std::string> read_emotions(const std::filesystem::path& path) {
  std::vector<std::string> names;
  for (const std::string& line : files::read_lines(open_data_file(path))) {
    names.push_back(ascii_lower(python::strip(line)));
    const std::string place = fmt::format("{}:{}", path.string(), names.size());
    if (names.back().empty()) {
      throw DataError(place + ": expected the name of an emotion, found an empty line");
    }
    if (std::find(names.begin(), names.end() - 1, names.back()) != names.end() - 1) {
      throw DataError(fmt::format("{}: expected distinct names, found {} again", place,
                                  files::shown(names.back())));
    }
  }
  if (names.size() != kNNames || names.back() != kNeutral) {
    throw DataError(
        fmt::format("{}:{}: expected {} names, the last one '{}', found {}{}", path.string(),
                    std::max<std::size_t>(1, names.size()), kNNames, kNeutral, names.size(),
                    names.empty() ? "" : ", the last one " + files::shown(names.back())));
  }
  names.pop_back();
  return names;
}

EmotionMap without_clusters(const std::vector<std::string>& emotions) {
  EmotionMap map{emotions, {}, LabelSet(emotions, LabelKind::MultiLabel)};
  for (LabelIndex i = 0; i < map.label_set.size(); ++i) {
    map.labels_of.push_back({i});
  }
  return map;
}

EmotionMap with_clusters(std::vector<std::string> emotions,
                         const std::filesystem::path& path,
                         std::vector<std::string>& warnings) {
  const files::MappedFile file = files::open_file(path, "a clustering of the emotions");
  const nlohmann::ordered_json clusters = files::parse_json_in_order(file.text(), {path.string()});
  if (!clusters.is_object() || clusters.empty()) {
    throw DataError(fmt::format("{}: expected an object cluster -> list of emotions, found {}",
                                path.string(),
                                clusters.is_object() ? "an empty one" : clusters.type_name()));
  }
  std::vector<std::string> names;
  std::vector<std::vector<LabelIndex>> labels_of(emotions.size());
  for (const auto& [name, members] : clusters.items()) {
    const std::string place = fmt::format("{}: cluster '{}'", path.string(), name);
    if (!members.is_array()) {
      throw DataError(
          fmt::format("{}: expected a list of emotions, found {}", place, members.type_name()));
    }
    for (const auto& member : members) {
      if (!member.is_string()) {
        throw DataError(
            fmt::format("{}: expected names of emotions, found {}", place, member.type_name()));
      }
      const std::string emotion = ascii_lower(python::strip(member.get_ref<const std::string&>()));
      const auto found = std::find(emotions.begin(), emotions.end(), emotion);
      if (found == emotions.end()) {
        throw DataError(fmt::format("{}: {}", place, unknown_choice("emotion", emotion, emotions)));
      }
      labels_of[static_cast<std::size_t>(found - emotions.begin())].push_back(
          static_cast<LabelIndex>(names.size()));
    }
    names.emplace_back(python::strip(name));
  }
  std::vector<std::string> left_over;
  for (std::size_t i = 0; i < emotions.size(); ++i) {
    if (labels_of[i].empty()) {
      left_over.push_back(emotions[i]);
    }
  }
  if (!left_over.empty()) {
    warnings.push_back(
        fmt::format("{}: {} of {} emotions are in no cluster and count as no label: {}",
                    path.string(), left_over.size(), emotions.size(), files::some_of(left_over)));
  }
  try {
    return {std::move(emotions), std::move(labels_of), LabelSet(names, LabelKind::MultiLabel)};
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}: {}", path.string(), error.what()));
  }
}

void add_emotion(Labels& labels, const EmotionMap& map, std::size_t emotion) {
  labels.insert(labels.end(), map.labels_of[emotion].begin(), map.labels_of[emotion].end());
}

// "4,27" -> the labels of emotion 4; 27 is neutral and means nothing.
Labels parse_label_numbers(const std::string& field,
                           const EmotionMap& map,
                           const std::string& place) {
  Labels labels;
  const char* at = field.data();
  const char* const end = at + field.size();
  while (true) {
    const char* const comma = std::find(at, end, ',');
    std::size_t number = 0;
    const auto [stop, error] = std::from_chars(at, comma, number);
    if (error != std::errc() || stop != comma) {
      throw DataError(fmt::format("{}: expected comma-separated label numbers, found {}", place,
                                  files::shown(field)));
    }
    if (number > map.emotions.size()) {
      throw DataError(fmt::format("{}: expected label numbers from 0 to {}, found {}", place,
                                  map.emotions.size(), number));
    }
    if (number < map.emotions.size()) {
      add_emotion(labels, map, number);
    }
    if (comma == end) {
      return sorted_labels(std::move(labels));
    }
    at = comma + 1;
  }
}

SplitRecords read_split(const std::filesystem::path& root,
                        const std::string& split,
                        const EmotionMap& map,
                        files::SwallowedRows swallowed) {
  SplitRecords records(split);
  files::for_each_row(open_data_file(root / (split + ".tsv")), '\t', swallowed,
                      [&](files::TableRow& row) {
                        files::check_n_fields(row, 3, "tab-separated");
                        Labels labels = parse_label_numbers(row.fields[1], map, row.place);
                        records.add({std::move(row.fields[2]),
                                     std::move(row.fields[0]),
                                     {{std::string(kAggregate), std::move(labels)}}},
                                    row.place);
                      });
  if (records.records().empty()) {
    throw DataError((root / (split + ".tsv")).string() + ":1: expected rows, found an empty file");
  }
  return records;
}

// The votes of the raters by example id, for the examples of `splits`.
class RaterVotes {
 public:
  RaterVotes(const EmotionMap& map, const std::vector<SplitRecords>& splits)
      : map_(map), splits_(splits) {}

  void read(const std::filesystem::path& path, files::SwallowedRows swallowed) {
    n_columns_ = 0;
    files::for_each_row(open_data_file(path), ',', swallowed, [&](const files::TableRow& row) {
      if (n_columns_ == 0) {
        read_header(row);
      } else {
        read_row(row);
      }
    });
    if (n_columns_ == 0) {
      throw DataError(path.string() + ":1: expected a header, found an empty file");
    }
  }

  const std::vector<Vote>* find(const std::string& example_id) const {
    const auto found = votes_.find(example_id);
    return found == votes_.end() ? nullptr : &found->second;
  }

 private:
  void read_header(const files::TableRow& row) {
    n_columns_ = row.fields.size();
    id_column_ = files::column_of(row, "id");
    rater_column_ = files::column_of(row, "rater_id");
    emotion_columns_.clear();
    for (const std::string& emotion : map_.emotions) {
      emotion_columns_.push_back(files::column_of(row, emotion));
    }
  }

  void read_row(const files::TableRow& row) {
    files::check_n_fields(row, n_columns_, "comma-separated");
    const std::string& example_id = row.fields[id_column_];
    if (std::none_of(splits_.begin(), splits_.end(), [&](const SplitRecords& split) {
          return split.find(example_id) != nullptr;
        })) {
      return;
    }
    Vote vote{row.fields[rater_column_], {}};
    if (vote.annotator.empty() || vote.annotator == kAggregate) {
      throw DataError(fmt::format("{}: expected a rater_id, found {}", row.place,
                                  files::shown(vote.annotator)));
    }
    for (std::size_t i = 0; i < emotion_columns_.size(); ++i) {
      const std::string& mark = row.fields[emotion_columns_[i]];
      if (mark != "0" && mark != "1") {
        throw DataError(fmt::format("{}: expected 0 or 1 in column '{}', found {}", row.place,
                                    map_.emotions[i], files::shown(mark)));
      }
      if (mark == "1") {
        add_emotion(vote.labels, map_, i);
      }
    }
    vote.labels = sorted_labels(std::move(vote.labels));
    set_vote(votes_[example_id], std::move(vote));
  }

  const EmotionMap& map_;
  const std::vector<SplitRecords>& splits_;
  std::unordered_map<std::string, std::vector<Vote>> votes_;
  std::size_t n_columns_ = 0;  // 0: the header of the file at hand is still to come
  std::size_t id_column_ = 0;
  std::size_t rater_column_ = 0;
  std::vector<std::size_t> emotion_columns_;
};

// The original groups the raters' rows by id, which sorts the ids and loses examples that nobody
// rated.
SplitRecords with_raters(const SplitRecords& split,
                         const RaterVotes& votes,
                         std::vector<std::string>& warnings) {
  std::vector<const Record*> rated;
  std::vector<std::string> unrated;
  for (const Record& record : split.records()) {
    if (votes.find(record.example_id) != nullptr) {
      rated.push_back(&record);
    } else {
      unrated.push_back(record.example_id);
    }
  }
  if (!unrated.empty()) {
    warnings.push_back(fmt::format(
        "GoEmotions, split {}: {} of {} examples have no rater in goemotions_1.csv to "
        "goemotions_3.csv and are left out: {}",
        split.split(), unrated.size(), split.records().size(), files::some_of(unrated)));
  }
  std::sort(rated.begin(), rated.end(),
            [](const Record* a, const Record* b) { return a->example_id < b->example_id; });
  SplitRecords sorted(split.split());
  for (const Record* record : rated) {
    Record with_votes{record->example_id, record->text, *votes.find(record->example_id)};
    with_votes.votes.push_back(record->votes.front());
    sorted.add(std::move(with_votes), "GoEmotions, split " + split.split());
  }
  return sorted;
}

}  // namespace

LoadedSplits load_go_emotions(const DatasetOptions& options) {
  static const std::array<std::string, 3> kSplits = {"train", "dev", "test"};
  for (const std::string& split : options.splits) {
    check_split("GoEmotions", split, kSplits);
  }
  LoadedSplits loaded;
  std::vector<std::string> emotions = read_emotions(options.root_dir / "emotions.txt");
  const EmotionMap map =
      options.emotion_clustering_json.empty()
          ? without_clusters(std::move(emotions))
          : with_clusters(std::move(emotions), options.emotion_clustering_json, loaded.warnings);
  loaded.label_set = map.label_set;
  for (const std::string& split : options.splits) {
    loaded.splits.push_back(read_split(options.root_dir, split, map, swallowed_rows(options)));
  }
  if (options.annotation_mode != AnnotationMode::Aggregate) {
    RaterVotes votes(map, loaded.splits);
    for (const char* part : {"goemotions_1.csv", "goemotions_2.csv", "goemotions_3.csv"}) {
      votes.read(options.root_dir / part, swallowed_rows(options));
    }
    std::vector<SplitRecords> rated;
    for (const SplitRecords& split : loaded.splits) {
      rated.push_back(with_raters(split, votes, loaded.warnings));
    }
    loaded.splits = std::move(rated);
  }
  return loaded;
}

}  // namespace labelprobe::data
