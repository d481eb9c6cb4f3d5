// Rows of a text in the form of csv.h, whatever file it comes from.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "labelprobe/files/csv.h"

namespace labelprobe::files {

// As for_each_row() of csv.h.
//   name  of the file, for places and messages
void for_each_row_of_text(std::string_view text,
                          const std::string& name,
                          char delimiter,
                          SwallowedRows swallowed,
                          const std::function<void(TableRow&)>& take,
                          const std::function<void(const std::string& place)>& open_end = nullptr);

// The text without a byte-order mark.
std::string_view without_mark(std::string_view text);

}  // namespace labelprobe::files
