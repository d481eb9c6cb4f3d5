// What pandas' read_csv makes of quotes that the rules of CSV forbid.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace labelprobe::files {

// `text` itself, if every quoted field ends behind its closing quote. Otherwise `repaired`, which
// holds the table with the fields that pandas reads: after a closing quote that no delimiter
// follows, the field goes on without a meaning of quotes ("so" he "said" -> so he "said").
// libcsv, which reads the table, would take that quote for text and go on to the next lines.
std::string_view well_quoted(std::string_view text, char delimiter, std::string& repaired);

// The first quoted field that seems to have swallowed rows, see SwallowedRows.
struct QuotedField {
  std::size_t begin = 0;  // of its opening quote
  std::size_t end = 0;    // of its closing one
};
std::optional<QuotedField> find_swallowing_field(std::string_view text, char delimiter);

}  // namespace labelprobe::files
