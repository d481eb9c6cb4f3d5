// Takes texts of social networks apart into words, numbers, dates, prices, emoticons and signs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::data {

// Lower-case tokens; white space belongs to none, except inside dates and times.
std::vector<std::string> social_tokens(std::string_view text);

}  // namespace labelprobe::data
