// Opens the files that a task file names: tables as its keys about tables say, lists of labels.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "labelprobe/data/dataset.h"
#include "labelprobe/files/table.h"

#include "data/tasks/task_form.h"

namespace labelprobe::data {

class TaskTables {
 public:
  // All must outlive it.
  //   notes  gets sentences for people about what is read
  TaskTables(const TaskFile& task, const DatasetOptions& options, std::vector<std::string>& notes);

  // What the paths of the task file start from.
  const std::filesystem::path& folder() const { return folder_; }

  // The files that a path with * and ? stands for, sorted; a path without them is itself. Throws
  // DataError, opening with `place`, if there are none.
  std::vector<std::filesystem::path> expand(const std::string& pattern,
                                            const std::string& place) const;

  // With the steps of the task file done. Throw DataError for a table that is broken or does not
  // fit; of items also for one without rows.
  files::Table read_items(const std::filesystem::path& path);
  files::Table read_votes(const std::filesystem::path& path, const std::string& sheet);

 private:
  files::Table read(const std::filesystem::path& path, files::TableOptions how);
  void prepare(const std::vector<TableStep>& steps, files::Table& table);

  const TaskFile& task_;
  const DatasetOptions& options_;
  std::filesystem::path folder_;
  std::vector<std::string>& notes_;
};

// The names in the label file of a task that has one. Throws DataError if there are none.
std::vector<std::string> read_label_names(const TaskFile& task, const DatasetOptions& options);

}  // namespace labelprobe::data
