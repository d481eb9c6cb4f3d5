// Reads the published data sets from the files their authors publish, and turns them into one flat
// list of examples. Knows formats, splits, annotators and id lists; knows nothing about prompts or
// models. Source of the behaviour: the data set classes of *Large Language Models Do Multi-Label
// Classification Differently*.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/example.h"

namespace labelprobe::data {

enum class AnnotationMode {
  Aggregate,  // one item per example
  Annotator,  // one item per example and annotator
  Both,       // the annotators' items and the aggregate's
};

// Positions [begin, end) of a list; "5" is [0, 5), "5 9" is [5, 9).
struct PositionRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// What to read and what to keep of it. Paths are taken as they are, relative to the working
// directory.
struct DatasetOptions {
  std::filesystem::path root_dir;
  std::vector<std::string> splits;  // e.g. {"train"}; at least one
  std::vector<std::string>
      ids_filenames;  // aligned with splits; empty = keep all; an entry "" = all of that split
  AnnotationMode annotation_mode = AnnotationMode::Aggregate;
  std::optional<PositionRange> debug_len;  // of each annotator's examples
  std::optional<PositionRange> debug_ann;  // of the annotators, most productive first
  bool keep_same_examples = false;         // only examples that every kept annotator has
  bool keep_one_after_filtering = false;   // one copy of each example, as `aggregate`
  std::optional<std::vector<std::string>> annotator_ids;  // others are dropped; unset = keep all
  bool text_preprocessor = false;  // clean the texts of tweets and Reddit comments
  // Counts of words and pairs of words for text_preprocessor; empty = hashtags in lower case stay
  // one word and elongated words keep two of each character.
  std::filesystem::path word_statistics;
  // Quoted fields that seem to have swallowed rows of a table are taken, as pandas does.
  bool allows_quoted_rows = false;
  // Options of single data sets; other sets ignore them, only a clustering they refuse.
  std::filesystem::path emotion_clustering_json;  // GoEmotions; empty = the 27 emotions
  std::string language = "english";               // SemEval: english, arabic or spanish
  std::string subset = "few_shot_boxes_nso_exp2_max3_move_contents";  // Boxes
  std::string delimiter = "\n";    // MMLUPro: between the options in the text
  bool multilabel = false;         // MSPPodcast: the secondary emotions instead of the primary one
  bool annotator_labels = false;   // MSPPodcast: the workers' votes besides the aggregate
  std::string type = "both";       // QueerReclaimLex: harm by an in-group author, out-group, both
  bool discard_ambiguous = false;  // QueerReclaimLex: drop posts whose raters disagree evenly
};

struct SplitCount {
  std::string split;
  std::size_t n_read = 0;  // examples that the loader made of the files
  std::size_t n_kept = 0;  // of them, in the flat list
};

// Examples that an option, or a later split, took away.
struct DroppedExamples {
  std::string reason;  // "id list", "debug_len", ...
  std::size_t n_examples = 0;
};

// A file that was read for a data set: its own files, id lists, clusterings, word statistics.
struct SourceFile {
  std::filesystem::path path;
  std::string fingerprint;  // of its bytes, see core/fingerprint.h
};

// What happened while reading that a person should know: nothing here stops a run.
struct DatasetNotes {
  std::vector<SplitCount> splits;        // in the order of the options
  std::vector<DroppedExamples> dropped;  // in the order of the filters; only what dropped any
  std::vector<std::string>
      warnings;  // complete sentences, e.g. ids of a list that no split has, with their number
  std::vector<SourceFile> files;  // each once, in the order of reading
};

struct Dataset {
  std::string name;
  LabelSet label_set;
  // The flat list; its positions are the indices that demonstration sampling draws.
  std::vector<Example> examples;
  // The annotators that the filters kept, `aggregate` among them unless the mode is Annotator. In
  // Aggregate mode the others have no items here, yet belong to the set: this is what
  // DatasetOptions::annotator_ids of the test role takes.
  std::vector<std::string> annotators;
  DatasetNotes notes;
};

// Everything a registered data set tells about itself before it is read.
struct DatasetInfo {
  std::string_view name;     // "GoEmotions"
  std::string_view summary;  // one line for people
  // "single-label", "multi-label", or which option decides; Dataset::label_set knows for sure.
  std::string_view label_kinds;
  bool has_annotators;  // where its options ask for them
  // Ids are numbers of lines, from 0 in every file: they say nothing across splits.
  bool has_line_numbers_as_ids = false;
};

// Every data set known, in the order --help shows them.
std::vector<DatasetInfo> datasets();

// The entry called `name`; ConfigError listing the known ones otherwise.
DatasetInfo dataset_info(std::string_view name);

// Reads the data set called `name`.
// Throws ConfigError for an unknown name, split or option that the set does not have; DataError
// (file, line, expected, found) for a file that is missing, truncated or not of its format, and
// when nothing is left after filtering.
Dataset load(std::string_view name, const DatasetOptions& options);

}  // namespace labelprobe::data
