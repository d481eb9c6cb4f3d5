// What Python's str.strip() does to a text: published prompts and answers were cut with them.
#pragma once

#include <string_view>

namespace labelprobe::python {

// str.strip(): without leading and trailing whitespace. `text` is UTF-8; bytes that are not are no
// whitespace.
std::string_view strip(std::string_view text);

}  // namespace labelprobe::python
