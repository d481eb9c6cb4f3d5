// The texts of the guards that we know.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/prompt/guard.h"

namespace labelprobe::prompt {

// How a chat template holds its texts.
enum class GuardStatements {
  OneText,    // two long texts, the categories in the first one
  Dictionary  // a text a line, the categories as a dictionary that callers may replace
};

struct GuardFamily {
  std::string_view name;
  std::string_view title;
  std::string_view source;  // where the template's text was read
  GuardStatements statements = GuardStatements::OneText;
  std::string_view before_task;  // up to "Task:"
  // Between the end of the conversation and the role that is judged, and behind the role.
  std::string_view judges;
  std::string_view rules;
  std::string_view after_task;  // behind the last rule
  std::string_view code_letters;
  std::string_view opening;
  bool has_headers = false;
  std::string_view categories;  // lines, as the prompt has them
};

// In the order of their publication.
std::span<const GuardFamily> guard_families();

// What all families share.
inline constexpr std::string_view kTask = "Task: Check if there is unsafe content in '";
inline constexpr std::string_view kPolicy =
    "' messages in conversations according our safety policy with the below categories.\n\n"
    "<BEGIN UNSAFE CONTENT CATEGORIES>\n";
inline constexpr std::string_view kAfterCategories =
    "<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\n";
inline constexpr std::string_view kAfterConversation = "<END CONVERSATION>\n\n";

// Categories of lines like "S1: Violent Crimes."; a line without a code goes on the one before.
// Empty where the first line has no code.
std::vector<GuardCategory> read_categories(std::string_view lines);

}  // namespace labelprobe::prompt
