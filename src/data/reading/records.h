// What a data set's loader hands over: the examples of each split with all their labels, before any
// of the user's filters. assemble.h makes the flat list of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/mapped_file.h"

#include "data/reading/records.h"

namespace labelprobe::data {

struct Vote {
  std::string annotator;  // or `aggregate`
  Labels labels;
};

struct Record {
  std::string example_id;
  std::string text;
  std::vector<Vote> votes;  // in the order of the files, `aggregate` last; no annotator twice
};

// The examples of one split, in the order of the data set, found by id.
class SplitRecords {
 public:
  explicit SplitRecords(std::string split) : split_(std::move(split)) {}

  // Throws DataError, opening with `place` ("train.tsv:12"), if the id is empty, holds the
  // separator of full ids or is there already, if the text is not UTF-8, or if an annotator's name
  // cannot be part of a full id.
  void add(Record record, const std::string& place);

  // Label i of every vote becomes new_index[i].
  void renumber_labels(std::span<const LabelIndex> new_index);

  // Only the aggregate's vote of every example stays.
  void drop_annotators();

  // Null if the split has no such example. Valid until the next add().
  const Record* find(const std::string& example_id) const;

  const std::string& split() const { return split_; }
  const std::vector<Record>& records() const { return records_; }

 private:
  std::string split_;
  std::vector<Record> records_;
  std::unordered_map<std::string, std::size_t> position_of_;
};

// The vote of an annotator who voted before is replaced in place, as in a Python dict.
void set_vote(std::vector<Vote>& votes, Vote vote);

// `numbers` ascending, without repeats.
Labels sorted_labels(Labels numbers);

struct LoadedSplits {
  LabelSet label_set;
  std::vector<SplitRecords> splits;  // in the order of DatasetOptions::splits
  std::vector<std::string> warnings;
};

// Every loader: one file of its own, one line in the table of registry.cpp.
LoadedSplits load_go_emotions(const DatasetOptions& options);
LoadedSplits load_hatexplain(const DatasetOptions& options);
LoadedSplits load_mfrc(const DatasetOptions& options);
LoadedSplits load_sem_eval(const DatasetOptions& options);
LoadedSplits load_msp_podcast(const DatasetOptions& options);
LoadedSplits load_boxes(const DatasetOptions& options);
LoadedSplits load_trec(const DatasetOptions& options);
LoadedSplits load_mmlu_pro(const DatasetOptions& options);
LoadedSplits load_queer_reclaim_lex(const DatasetOptions& options);

// ConfigError naming the known splits unless `split` is one of them.
void check_split(std::string_view dataset,
                 const std::string& split,
                 std::span<const std::string> known);

// An id may be a string or an integer, which comes as its digits.
std::string id_of(const files::JsonView& id);

// The strings of a list that is not empty; `what` says in a message what they are.
std::vector<std::string> strings_of(const files::JsonView& list, const std::string& what);

files::SwallowedRows swallowed_rows(const DatasetOptions& options);

// Opens a file below root_dir. Throws DataError naming it if it is not there.
files::MappedFile open_data_file(const std::filesystem::path& path);

// Reads a file of the data set that holds JSON.
files::JsonView load_data_json(const std::filesystem::path& path);

// Calls `take` for every line of a file of JSON lines.
void for_each_json_line(const std::filesystem::path& path,
                        const std::function<void(const files::JsonView&)>& take);

}  // namespace labelprobe::data
