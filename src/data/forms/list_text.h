// Lists that tables of text have in their cells: JSON, and what Python prints of a list, which is
// what pandas writes into CSV files.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace labelprobe::data {

// The list that a text is: ["joy", "fear"] or ['joy', 'fear']; null if it is none.
nlohmann::json list_of_text(std::string_view text);

}  // namespace labelprobe::data
