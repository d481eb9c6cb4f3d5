// The keys of task files that stand for options of the commands.
#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/data/task_file.h"

#include "data/tasks/task_form.h"
#include "data/tasks/task_keys.h"

namespace labelprobe::data {

namespace {

using files::YamlView;

struct OptionKey {
  const char* name;
  const char* option;
  bool may_be_file = false;  // its text may be the path of a file
};

constexpr OptionKey kOptionKeys[] = {
    {"shots", "shot"},
    {"sampling", "sampling_strategy"},
    {"max_new_tokens", "max_new_tokens"},
    {"train_splits", "train_splits"},
    {"test_splits", "test_splits"},
};

constexpr OptionKey kPromptKeys[] = {
    {"instruction", "instruction_prompt", true},
    {"incontext", "incontext_prompt", true},
    {"system", "system_prompt", true},
    {"query", "query_prompt", true},
    {"user", "user_prompt", true},
    {"assistant", "assistant_prompt", true},
    {"mode", "prompt_mode"},
    {"label_format", "label_format"},
    {"cot", "cot_csv", true},
};

constexpr const char* kPrompts = "prompts";
constexpr const char* kOptions = "options";  // any other, by its name in config files

std::string scalar_of(const YamlView& value, const OptionKey& key, const TaskFile& task) {
  if (!value.is_scalar()) value.fail_expected("a value");
  std::error_code error;
  const std::filesystem::path near = task.path.parent_path() / value.text();
  constexpr std::size_t kLongestPath = 255;
  const bool is_file = key.may_be_file && !value.text().empty() &&
                       value.text().size() <= kLongestPath &&
                       std::filesystem::is_regular_file(near, error);
  return is_file ? near.string() : value.text();
}

void add(const YamlView& value, const OptionKey& key, TaskFile& task) {
  TaskOption option{key.option, {}, value.place()};
  if (value.is_list()) {
    for (const YamlView& item : value.items()) option.values.push_back(scalar_of(item, key, task));
  } else if (const auto boolean = value.boolean()) {
    option.values = {*boolean ? "true" : "false"};
  } else if (!value.is_null()) {
    option.values = {scalar_of(value, key, task)};
  }
  task.options.push_back(std::move(option));
}

void read_section(const YamlView& map, std::span<const OptionKey> keys, TaskFile& task) {
  for (const OptionKey& key : keys) {
    if (const auto value = map.find(key.name)) add(*value, key, task);
  }
}

bool has_option(const TaskFile& task, std::string_view name) {
  return std::any_of(task.options.begin(), task.options.end(),
                     [&](const TaskOption& option) { return option.name == name; });
}

}  // namespace

void check_keys(const YamlView& map, std::string_view what, const std::vector<std::string>& known) {
  if (!map.is_map()) map.fail_expected(fmt::format("{} as a map of keys to values", what));
  std::vector<std::string> seen;
  for (const auto& [key, value] : map.members()) {
    if (!key.is_scalar()) key.fail_expected("a key");
    if (std::find(known.begin(), known.end(), key.text()) == known.end()) {
      key.fail(unknown_choice(fmt::format("key of {}", what), key.text(), known));
    }
    if (std::find(seen.begin(), seen.end(), key.text()) != seen.end()) {
      key.fail(fmt::format("expected every key once, found '{}' again", key.text()));
    }
    seen.push_back(key.text());
  }
}

std::vector<std::string> task_option_keys() {
  std::vector<std::string> keys = {kPrompts, kOptions};
  for (const OptionKey& key : kOptionKeys) keys.emplace_back(key.name);
  return keys;
}

void read_options(const YamlView& root, TaskFile& task) {
  read_section(root, kOptionKeys, task);
  if (const auto prompts = root.find(kPrompts)) {
    std::vector<std::string> known;
    for (const OptionKey& key : kPromptKeys) known.emplace_back(key.name);
    check_keys(*prompts, kPrompts, known);
    read_section(*prompts, kPromptKeys, task);
  }
  if (const auto options = root.find(kOptions)) {
    if (!options->is_map()) options->fail_expected("a map of options to values");
    for (const auto& [name, value] : options->members()) {
      if (!name.is_scalar()) name.fail_expected("the name of an option");
      if (has_option(task, name.text())) {
        name.fail(fmt::format("expected every option once, found '{}' again", name.text()));
      }
      add(value, {"", name.text().c_str()}, task);
    }
  }
}

std::vector<TaskOption> task_options(const std::filesystem::path& path) {
  TaskFile task = read_task_file(path);
  const std::vector<std::string> splits = task.splits();
  // Where only the data know the splits, they are taken to have their usual names.
  const auto has_split = [&](std::string_view name) {
    return splits.empty() ? name != "dev"
                          : std::find(splits.begin(), splits.end(), name) != splits.end();
  };
  const auto add_default = [&](const char* name, std::string value) {
    if (!has_option(task, name)) {
      task.options.push_back({name, {std::move(value)}, path.string()});
    }
  };
  const bool has_train = has_split("train");
  if (has_train) add_default("train_splits", "train");
  if (has_split("test") || has_split("dev")) {
    add_default("test_splits", has_split("test") ? "test" : "dev");
  } else if (splits.size() == 1) {
    add_default("test_splits", splits.front());
  }
  constexpr const char* kUsualShots = "10";
  add_default("shot", has_train ? kUsualShots : "0");
  return std::move(task.options);
}

}  // namespace labelprobe::data
