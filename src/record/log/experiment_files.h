// The YAML files one finished experiment ends in. Which of them only grow is for recovery to know:
// those are cut back to their old sizes if the process dies in the middle; the others are replaced
// as a whole.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/files/disk.h"
#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/record/run.h"
#include "labelprobe/record/training_log.h"

namespace labelprobe::record {

inline constexpr const char* kDescriptionKey = "description";  // stands among the item keys

// Items by log key.
using ItemsByKey = std::map<std::string, const ItemRecord*>;

// The id of an example of another annotator than `aggregate`: its log key without the annotator.
// Throws DataError if the key does not end in "__<annotator>".
std::string example_of(const std::string& key, const std::string& annotator);

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

  // Writes them all. The folder's earlier experiments are not read but for numbers.yml.
  void write(const ItemsByKey& items,
             const std::optional<Metrics>& metrics,
             const std::map<std::string, Metrics>& annotator_metrics);
  void write(const TrainingLog& log);

 private:
  // Entries by key, each made when it is written.
  using Entries = std::map<std::string, std::function<files::JsonF32()>>;
  // All that the files say.
  struct Content {
    Entries items;
    std::map<std::string, Entries> of_annotators;  // by annotator, then example id
    std::optional<nlohmann::json> metrics;         // of metrics.yml
    Metrics means_of;                              // those of which aggregated_*.yml has means
    std::map<std::string, Metrics> annotator_metrics;
    nlohmann::json steps = nlohmann::json::object();
  };
  void write(const Content& content);
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  std::string described(const std::string& name) const;
  std::string experiment_key() const { return fmt::format("experiment_{}", index_); }
  void append(const std::string& name, const std::string& block);
  void append_block(const std::string& name, const nlohmann::json& entries);
  void append_indexed(const Entries& items);
  void append_annotators(const std::map<std::string, Entries>& items);
  void write_params();
  void write_aggregates(const Content& content);

  files::Disk& disk_;
  const RunRequest& request_;
  std::filesystem::path folder_;
  std::size_t index_;
  std::vector<std::string> repetitions_;
};

}  // namespace labelprobe::record
