// Task files that nobody has to write. Some data say themselves what their columns mean: data sets
// of the Hugging Face hub, LeWiDi's JSON, BRIGHTER's tables, what `labelprobe data --out` writes.
// For other tables the columns are looked at, and a draft is made for a person to check.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace labelprobe::data {

struct TaskDraft {
  std::string form;  // what the data were taken for: "LeWiDi", "a Hugging Face data set", ...
  bool is_guessed = false;  // of the columns alone: a person should look at it
  std::string text;         // a task file
};

// Whether `subject` can be such data: a file or a folder that is there and no YAML (a folder beside
// us as "./name", for data sets have names too), or a name of the hub, "org/name" or
// "org/name@revision"; folders and names of the hub may have ":configuration" behind them.
bool is_data_without_task(const std::string& subject);

// The task file for data of a form that is known, or that a Hugging Face data set leads to. Throws
// ConfigError for a table of no known form, naming `labelprobe init`, for what is not there, with
// the command that fetches it, and where there are several configurations; DataError as
// read_table().
TaskDraft known_task(const std::string& subject);

// The same, and a draft made of a look at the columns where the form is not known.
//   folder  where the task file shall lie: its paths are relative to it; empty = they are whole
TaskDraft draft_task(const std::string& subject, const std::filesystem::path& folder);

}  // namespace labelprobe::data
