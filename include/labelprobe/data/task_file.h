// Task files: a data set of one's own described in YAML, which tables there are, what their columns
// mean, which rows make which split. The path of one stands where the name of a data set does. What
// a file may hold: src/data/README.md.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::data {

// Whether a data set's name is the path of a task file, which ends in .yaml or .yml, or of data
// that need none (task_draft.h).
bool is_task_file(std::string_view name);

// What is known of a data set before it is read.
struct TaskInfo {
  std::string name;             // what logs are called
  bool has_annotators = false;  // where its options ask for them
  // Ids are numbers of lines, from 0 in every file: they say nothing across splits.
  bool has_line_numbers_as_ids = false;
  // What the data call no label, where a task file says it; prompts, answers and logs say `none`.
  std::vector<std::string> none_words = {};
};

// What is known of the data set called `task`, or of the task file of that path, before it is read.
// Throws ConfigError listing the known ones, and for what is wrong with the task file.
TaskInfo task_info(std::string_view task);

// `task` where it names a data set or a task file that can be read. Throws as task_info().
std::string checked_task(const std::string& task);

// What a task file says about an option of the commands, under the name that config files have.
struct TaskOption {
  std::string name;                 // "instruction_prompt"
  std::vector<std::string> values;  // none = explicitly unset
  std::string place;                // "my_task.yaml:12"
};

// All of them, and the splits and the number of demonstrations where the file leaves them open:
// demonstrations are drawn from `train`, asked is about `test`, else `dev`, else the only split.
// Throws ConfigError (file, line, expected, found) for what is wrong with the file.
std::vector<TaskOption> task_options(const std::filesystem::path& path);

}  // namespace labelprobe::data
