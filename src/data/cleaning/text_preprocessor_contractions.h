// Writes English contractions out: "can't" as "can not".
#pragma once

#include <string>
#include <string_view>

namespace labelprobe::data {

// Only the first letter of a contraction may be upper case; it keeps its case. The apostrophe is
// the typewriter's ('): ekphrasis leaves words with ’ as they are.
std::string unpack_contractions(std::string_view text);

}  // namespace labelprobe::data
