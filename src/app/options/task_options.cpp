#include "app/options/task_options.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"

namespace labelprobe::app {

namespace {

// Operands that name a data set; the second one does where calibrate fits.
constexpr std::string_view kOperands[] = {"TASK", "TASK_OR_FILE"};

const Given* find_task_file(const GivenValues& given) {
  const auto action = given.find("ACTION");
  const bool is_applied = action != given.end() && action->second.values.front() == "apply";
  for (const std::string_view name : kOperands) {
    const auto found = given.find(name);
    if (found != given.end() && !is_applied && data::is_task_file(found->second.values.front())) {
      return &found->second;
    }
  }
  return nullptr;
}

}  // namespace

void read_task_options(const OptionList& options,
                       std::vector<std::string> (*known)(),
                       GivenValues& given) {
  const Given* const task = find_task_file(given);
  if (task == nullptr) return;
  const std::string path = task->values.front();
  const auto add = [&](const std::string& name, Given value) {
    if (const Option* option = options.find(name)) {
      given.try_emplace(std::string(option->info.name), std::move(value));
    }
  };
  add("task_file", {{path}, "TASK"});
  const std::vector<std::string> names = known();
  for (data::TaskOption& option : data::task_options(path)) {
    if (std::find(names.begin(), names.end(), option.name) == names.end()) {
      const std::string near = nearest_choice(option.name, names);
      throw ConfigError(fmt::format("{}: unknown option '{}'{} (labelprobe ls options lists all)",
                                    option.place, option.name,
                                    near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    add(option.name, {std::move(option.values), option.place});
  }
}

}  // namespace labelprobe::app
