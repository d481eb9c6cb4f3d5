// The command lines of the end-to-end tests: the example data, the tiny model that has learned to
// answer, and the prompts of the reference.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/files.h"
#include "support/program.h"

namespace labelprobe::support {

inline nlohmann::json e2e_reference() {
  return nlohmann::json::parse(read_file(fixture("e2e/reference.json")));
}

// `labelprobe run` (or another command of the kind) of the reference's prompts into `logs`. Flags
// in `more` win.
inline std::vector<std::string> run_arguments(const std::filesystem::path& logs,
                                              const std::vector<std::string>& more = {},
                                              const std::string& command = "run") {
  const nlohmann::json expected = e2e_reference();
  std::vector<std::string> arguments = {command, "GoEmotions"};
  for (const auto& flag : expected["flags"]) {
    arguments.push_back(flag);
  }
  for (const std::string& argument :
       {std::string("--max-new-tokens"), std::to_string(expected["max_new_tokens"].get<int>()),
        std::string("--model-name-or-path"), fixture("e2e/model").string(),
        std::string("--log-root"), logs.string(), std::string("--alternative-experiment-name"),
        std::string("e2e"), std::string("--device"), std::string("cpu")}) {
    arguments.push_back(argument);
  }
  if (!more.empty()) {  // a group counts more than what stands outside of it
    arguments.emplace_back("{");
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.emplace_back("}");
  }
  return arguments;
}

// Every file below a log root but log.txt, which has times.
inline std::map<std::string, std::string> log_files(const std::filesystem::path& logs) {
  std::map<std::string, std::string> files = contents_of(logs);
  std::erase_if(files, [](const auto& file) { return file.first.ends_with("log.txt"); });
  return files;
}

}  // namespace labelprobe::support
