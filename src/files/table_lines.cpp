// Lines of text as a table.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "files/csv_rows.h"
#include "files/table_readers.h"

namespace labelprobe::files {

void read_text_lines(std::string_view text, Table& table) {
  table.columns = {"line"};
  std::size_t n_lines = 0;
  for (std::string_view rest = without_mark(text); !rest.empty();) {
    const std::size_t line_break = rest.find('\n');
    std::string_view line = rest.substr(0, line_break);
    rest.remove_prefix(line_break == std::string_view::npos ? rest.size() : line_break + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string place = fmt::format("{}:{}", table.name, ++n_lines);
    if (!is_utf8(line)) {
      throw DataError(place + ": expected text in UTF-8, found other bytes; convert the file");
    }
    table.rows.push_back({std::string(line)});
    table.places.push_back(std::move(place));
  }
  if (n_lines > 0 && !text.ends_with('\n')) {
    table.notes.push_back(open_end_note(table.places.back()));
  }
}

}  // namespace labelprobe::files
