// MSP-Podcast v1.11 (Lotfian & Busso) in the files of its authors: transcripts.csv with the texts,
// Labels/labels_detailed.csv with a row per clip and worker, Labels/labels_consensus.csv with the
// splits.
#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/reading/records.h"
#include "data/reading/votes.h"

namespace labelprobe::data {

namespace {

const std::vector<std::string> kPrimaryEmotions = {"angry", "contempt", "disgust", "fear",
                                                   "happy", "neutral",  "sad",     "surprise"};

using TextOfName = std::unordered_map<std::string, std::string>;

// "MSP-PODCAST_0001_0008.wav" -> "MSP-PODCAST_0001_0008"
std::string clip_id_of(std::string_view file_name) {
  return replace_all(file_name, ".wav", "");
}

// Two columns of a table as a map from clip to text.
TextOfName read_texts(const std::filesystem::path& path,
                      const std::array<std::string_view, 2>& columns,
                      files::SwallowedRows swallowed) {
  TextOfName texts;
  files::for_each_row_of(open_data_file(path), ',', columns, swallowed, [&](files::TableRow& row) {
    const std::string clip_id = clip_id_of(row.fields[0]);
    if (!texts.emplace(clip_id, std::move(row.fields[1])).second) {
      throw DataError(fmt::format("{}: expected every clip once, found {} again", row.place,
                                  files::shown(clip_id)));
    }
  });
  return texts;
}

std::vector<std::string> split_at(std::string_view text, char delimiter) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = std::min(text.find(delimiter), text.size());
    parts.emplace_back(python::strip(text.substr(0, end)));
    if (end == text.size()) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

// What one worker chose for one clip, by name; unset: nothing that counts.
struct NamedVote {
  std::string worker;
  std::optional<std::vector<std::string>> names;
};

std::optional<std::vector<std::string>> primary_emotion(const std::string& field,
                                                        const std::string& place) {
  const std::string name = ascii_lower(field);
  if (name.empty() || name.find("other") != std::string::npos) {
    return std::nullopt;
  }
  if (std::find(kPrimaryEmotions.begin(), kPrimaryEmotions.end(), name) == kPrimaryEmotions.end()) {
    throw DataError(
        fmt::format("{}: {}", place,
                    unknown_choice("primary emotion", files::printable(field), kPrimaryEmotions)));
  }
  return std::vector<std::string>{name};
}

// "Sad,Concerned,Other-tired, lost": behind `Other` stands what the worker wrote, commas included.
std::optional<std::vector<std::string>> secondary_emotions(const std::string& field) {
  if (field.empty()) {
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (const std::string& part : split_at(field.substr(0, field.find("Other")), ',')) {
    if (const std::string name = ascii_lower(part); !name.empty() && name != "neutral") {
      names.push_back(name);
    }
  }
  return names;
}

// "WORKER1; Happy; Happy,Excited; A:5; V:6; D:4; "
NamedVote parse_details(const std::string& details, bool is_multilabel, const std::string& place) {
  const std::vector<std::string> parts = split_at(details, ';');
  constexpr std::size_t kNParts = 7;
  if (parts.size() != kNParts) {
    throw DataError(
        fmt::format("{}: expected {} parts separated by ';' in column 'EmoDetail', found {}", place,
                    kNParts, parts.size()));
  }
  check_annotator(parts[0], place);
  return {parts[0],
          is_multilabel ? secondary_emotions(parts[2]) : primary_emotion(parts[1], place)};
}

struct Clip {
  std::string clip_id;
  std::string text;
  std::string place;
  std::vector<NamedVote> votes;  // a worker's last one, at the place of the first
};

// The clips of one split, in the order of labels_detailed.csv, with the votes that count.
class SplitClips {
 public:
  SplitClips(std::string split, std::string split_set)
      : split_(std::move(split)), split_set_(std::move(split_set)) {}

  const std::string& split() const { return split_; }
  const std::string& split_set() const { return split_set_; }
  const std::vector<Clip>& clips() const { return clips_; }

  void add(const std::string& clip_id,
           const std::string& text,
           NamedVote vote,
           const std::string& place) {
    const auto [found, is_new] = position_of_.emplace(clip_id, clips_.size());
    if (is_new) {
      clips_.push_back({clip_id, text, place, {}});
    }
    if (!vote.names) {
      return;
    }
    for (NamedVote& earlier : clips_[found->second].votes) {
      if (earlier.worker == vote.worker) {
        earlier.names = std::move(vote.names);
        return;
      }
    }
    clips_[found->second].votes.push_back(std::move(vote));
  }

  void drop_clips_without_votes(std::vector<std::string>& warnings) {
    const std::size_t n_before = clips_.size();
    std::vector<std::string> dropped;
    for (const Clip& clip : clips_) {
      if (clip.votes.empty()) {
        dropped.push_back(clip.clip_id);
      }
    }
    std::erase_if(clips_, [](const Clip& clip) { return clip.votes.empty(); });
    if (!dropped.empty()) {
      warnings.push_back(fmt::format(
          "MSPPodcast, split {}: {} of {} clips have no vote that counts and are left out: {}",
          split_, dropped.size(), n_before, files::some_of(dropped)));
    }
  }

 private:
  std::string split_;
  std::string split_set_;
  std::vector<Clip> clips_;
  std::unordered_map<std::string, std::size_t> position_of_;
};

void read_votes(const DatasetOptions& options, std::vector<SplitClips>& splits) {
  const TextOfName transcripts =
      read_texts(options.root_dir / "transcripts.csv", {"id", "text"}, swallowed_rows(options));
  const TextOfName split_set_of = read_texts(options.root_dir / "Labels" / "labels_consensus.csv",
                                             {"FileName", "Split_Set"}, swallowed_rows(options));
  std::size_t n_fields = 0;  // 0: the header is still to come
  std::size_t details_column = 0;
  const std::filesystem::path path = options.root_dir / "Labels" / "labels_detailed.csv";
  files::for_each_row(
      open_data_file(path), ',', swallowed_rows(options), [&](const files::TableRow& row) {
        if (n_fields == 0) {
          n_fields = row.fields.size();
          details_column = files::column_of(row, "EmoDetail");
          return;
        }
        files::check_n_fields(row, n_fields, "comma-separated");
        const std::string clip_id = clip_id_of(row.fields[0]);
        const auto transcript = transcripts.find(clip_id);
        const auto split_set = split_set_of.find(clip_id);
        if (split_set == split_set_of.end() || transcript == transcripts.end() ||
            transcript->second.empty()) {
          return;
        }
        for (SplitClips& split : splits) {
          if (split.split_set() == split_set->second) {
            split.add(clip_id, transcript->second,
                      parse_details(row.fields[details_column], options.multilabel, row.place),
                      row.place);
          }
        }
      });
  if (n_fields == 0) {
    throw DataError(path.string() + ":1: expected a header, found an empty file");
  }
}

// The names that were voted for, sorted.
std::vector<std::string> names_of(const std::vector<SplitClips>& splits) {
  std::set<std::string> names;
  for (const SplitClips& split : splits) {
    for (const Clip& clip : split.clips()) {
      for (const NamedVote& vote : clip.votes) {
        names.insert(vote.names->begin(), vote.names->end());
      }
    }
  }
  return {names.begin(), names.end()};
}

Record record_of(const Clip& clip, const std::vector<std::string>& names, bool is_multilabel) {
  Record record{clip.clip_id, clip.text, {}};
  std::vector<LabelIndex> primary;
  for (const NamedVote& vote : clip.votes) {
    Labels labels;
    for (const std::string& name : *vote.names) {
      const auto found = std::lower_bound(names.begin(), names.end(), name);
      labels.push_back(static_cast<LabelIndex>(found - names.begin()));
    }
    if (!is_multilabel) {
      primary.push_back(labels.front());
    }
    record.votes.push_back({vote.worker, sorted_labels(std::move(labels))});
  }
  Labels aggregate = is_multilabel ? labels_of_half(record.votes) : Labels{majority_of(primary)};
  record.votes.push_back({std::string(kAggregate), std::move(aggregate)});
  return record;
}

}  // namespace

LoadedSplits load_msp_podcast(const DatasetOptions& options) {
  static const std::array<std::string, 3> kSplits = {"train", "dev", "test"};
  static const std::array<std::string, 3> kSplitSets = {"Train", "Development", "Test1"};
  std::vector<SplitClips> clips;
  for (const std::string& split : options.splits) {
    check_split("MSPPodcast", split, kSplits);
    const auto found = std::find(kSplits.begin(), kSplits.end(), split) - kSplits.begin();
    clips.emplace_back(split, kSplitSets[static_cast<std::size_t>(found)]);
  }
  if (options.annotation_mode != AnnotationMode::Aggregate && !options.annotator_labels) {
    throw ConfigError(
        "MSPPodcast: expected annotation_mode aggregate: annotators are read with annotator_labels "
        "only");
  }
  read_votes(options, clips);
  LoadedSplits loaded;
  for (SplitClips& split : clips) {
    split.drop_clips_without_votes(loaded.warnings);
  }
  const std::vector<std::string> names = names_of(clips);
  for (const SplitClips& split : clips) {
    SplitRecords records(split.split());
    for (const Clip& clip : split.clips()) {
      records.add(record_of(clip, names, options.multilabel), clip.place);
    }
    loaded.splits.push_back(std::move(records));
  }
  loaded.label_set = keep_labels_found(
      "MSPPodcast", names, options.multilabel ? LabelKind::MultiLabel : LabelKind::SingleLabel,
      loaded.splits);
  if (!options.annotator_labels) {
    for (SplitRecords& split : loaded.splits) {
      split.drop_annotators();
    }
  }
  return loaded;
}

}  // namespace labelprobe::data
