// The YAML files one finished experiment ends in. Which of them only grow is for recovery to know:
// those are cut back to their old sizes if the process dies in the middle; the others are replaced
// as a whole.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/files/disk.h"
#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/record/item_store.h"
#include "labelprobe/record/run.h"
#include "labelprobe/record/training_log.h"

namespace labelprobe::record {

inline constexpr const char* kDescriptionKey = "description";  // stands among the item keys

// The id of an example of another annotator than `aggregate`: its log key without the annotator.
// Throws DataError if the key does not end in "__<annotator>".
std::string_view example_of(std::string_view key, const std::string& annotator);

class ExperimentFiles {
 public:
  //   repetitions  of the folder's experiments, by index, see aggregate()
  ExperimentFiles(files::Disk& disk,
                  const RunRequest& request,
                  std::filesystem::path folder,
                  std::size_t index,
                  std::vector<std::string> repetitions)
      : disk_(disk),
        request_(request),
        folder_(std::move(folder)),
        index_(index),
        repetitions_(std::move(repetitions)) {}

  // The files that write() appends to.
  std::vector<std::string> appended_names() const;

  // All files, sorted.
  std::vector<std::string> names() const;

  // Writes them all, the items one after the other: none but the one that is written is in memory.
  // The folder's earlier experiments are not read but for numbers.yml.
  //   keys  of the items, none twice
  void write(const ItemStore& items,
             std::span<const std::string> keys,
             const std::optional<Metrics>& metrics,
             const std::map<std::string, Metrics>& annotator_metrics);
  void write(const TrainingLog& log);

 private:
  // The name of an entry, and which item it is of.
  struct Entry {
    std::string_view name;
    std::size_t item = 0;
  };
  using Entries = std::vector<Entry>;
  // All that the files say. Names are views of the items' own.
  struct Content {
    // When it is written; from several threads.
    std::function<files::JsonF32(std::size_t item)> make_entry;
    Entries items;
    std::map<std::string, Entries> of_annotators;  // by annotator; names are example ids
    std::optional<nlohmann::json> metrics;         // of metrics.yml
    Metrics means_of;                              // those of which aggregated_*.yml has means
    std::map<std::string, Metrics> annotator_metrics;
    nlohmann::json steps = nlohmann::json::object();
  };
  void write(Content content);
  static void sort(Entries& entries);
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  std::string described(const std::string& name) const;
  std::string experiment_key() const { return fmt::format("experiment_{}", index_); }
  void append(const std::string& name, const std::string& block);
  void append_block(const std::string& name, const nlohmann::json& entries);
  void append_indexed(const Content& content);
  void append_annotators(const Content& content);
  void write_params();
  void write_aggregates(const Content& content);

  files::Disk& disk_;
  const RunRequest& request_;
  std::filesystem::path folder_;
  std::size_t index_;
  std::vector<std::string> repetitions_;
};

}  // namespace labelprobe::record
