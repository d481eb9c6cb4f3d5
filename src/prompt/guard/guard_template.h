// Chat templates of guards: the statements that they consist of, and the categories in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prompt/guard/guard_table.h"

namespace labelprobe::prompt {

// The template in a form that equal templates share: without white space that is not shown, marks
// that trim it, and differences of quotes. White space that would be shown stays. Jinja as Hugging
// Face runs it.
std::string condensed_template(std::string_view text);

// The categories that a condensed template lists, if all the rest of it is the family's with these
// texts around the task.
std::optional<std::vector<GuardCategory>> match_template(std::string_view condensed,
                                                         const GuardFamily& family,
                                                         std::string_view before_task,
                                                         std::string_view after_task);

}  // namespace labelprobe::prompt
