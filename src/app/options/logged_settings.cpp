#include "app/options/logged_settings.h"

#include <algorithm>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"

#include "app/options/run_options.h"

namespace labelprobe::app {

experiment::Settings logged_settings(const std::string& task,
                                     const std::string& plan,
                                     const record::OptionValues& logged) {
  // The published program's logs have other options, and may have none.
  if (!logged.contains("test_splits")) {
    throw ConfigError("the log does not tell the options of labelprobe");
  }
  experiment::Settings settings;
  const auto plans = experiment::plans();
  const auto found = std::find_if(plans.begin(), plans.end(),
                                  [&](const auto* known) { return known->name == plan; });
  if (found != plans.end()) settings.plan = *found;
  SentenceEncoderSettings encoder;  // its vectors are not made anew
  OptionList options;
  declare_questions(options, settings, encoder,
                    {.has_distribution = settings.plan->is_distribution,
                     .has_pairs = settings.plan->shows_labels});
  GivenValues given = {{"TASK", {{task}, "TASK"}}};
  const bool is_other_file = data::is_task_file(task);
  for (const Option& option : options.options()) {
    const auto values = logged.find(std::string(option.info.name));
    if (values != logged.end() && !values->second.empty()) {
      given[values->first] = {values->second, "the log's " + values->first};
    }
  }
  if (is_other_file) {
    given["task_file"] = {{task}, "TASK"};
  } else if (const auto file = given.find("task_file"); file != given.end()) {
    given["TASK"] = file->second;
  }
  options.fill(given);
  return settings;
}

}  // namespace labelprobe::app
