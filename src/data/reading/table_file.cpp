#include "data/reading/table_file.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

#include <csv.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "data/reading/quoting.h"

namespace labelprobe::data {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view without_byte_order_mark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

// libcsv's callbacks only collect: an exception must not pass through C.
struct Collected {
  std::vector<std::string> open_row;
  std::vector<std::vector<std::string>> rows;
  bool out_of_memory = false;
};

void end_field(void* chars, std::size_t n_chars, void* collected) {
  auto& into = *static_cast<Collected*>(collected);
  try {
    into.open_row.emplace_back(static_cast<const char*>(chars), n_chars);
  } catch (const std::bad_alloc&) {
    into.out_of_memory = true;
  }
}

void end_row(int, void* collected) {
  auto& into = *static_cast<Collected*>(collected);
  try {
    into.rows.push_back(std::move(into.open_row));
  } catch (const std::bad_alloc&) {
    into.out_of_memory = true;
  }
  into.open_row.clear();
}

class Parser {
 public:
  explicit Parser(char delimiter) {
    if (csv_init(&parser_, 0) != 0) {
      throw InternalError("libcsv cannot be initialised");
    }
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    // Leading and trailing spaces are part of a text; libcsv would trim them.
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });
  }
  ~Parser() { csv_free(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  bool parse(std::string_view line, Collected& into) {
    return csv_parse(&parser_, line.data(), line.size(), end_field, end_row, &into) ==
               line.size() &&
           !into.out_of_memory;
  }
  bool finish(Collected& into) {
    return csv_fini(&parser_, end_field, end_row, &into) == 0 && !into.out_of_memory;
  }

 private:
  csv_parser parser_;
};

}  // namespace

void for_each_row(const std::filesystem::path& path,
                  char delimiter,
                  const std::function<void(TableRow&)>& take) {
  const files::MappedFile file = open_file(path, kDataFile);
  std::string repaired;
  std::string_view rest = well_quoted(without_byte_order_mark(file.text()), delimiter, repaired);
  Parser parser(delimiter);
  Collected collected;
  TableRow row;
  std::size_t first_line = 1;  // of the row being read; a quoted field may hold line breaks
  bool is_in_row = false;
  const auto place = [&] { return path.string() + ":" + std::to_string(first_line); };
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::size_t line_break = rest.find('\n');
    const std::size_t n_bytes = line_break == std::string_view::npos ? rest.size() : line_break + 1;
    const std::string_view line_text = rest.substr(0, n_bytes);
    if (!parser.parse(line_text, collected)) {
      throw DataError(place() + ": this row is too large to be read");
    }
    rest.remove_prefix(n_bytes);
    for (std::vector<std::string>& fields : collected.rows) {
      row.fields = std::move(fields);
      row.place = place();
      take(row);
    }
    const bool is_blank = line_text.find_first_not_of("\r\n") == std::string_view::npos;
    is_in_row = collected.rows.empty() && (is_in_row || !is_blank);
    if (!is_in_row) {
      first_line = line + 1;
    }
    collected.rows.clear();
  }
  if (!parser.finish(collected)) {
    throw DataError(place() + ": this row is too large to be read");
  }
  if (!collected.rows.empty() && file.text().ends_with('\n')) {
    throw DataError(place() +
                    ": expected the quoted field that begins in this row to be closed by a '\"', "
                    "found the end of the file");
  }
  if (!collected.rows.empty()) {
    throw DataError(
        place() +
        ": expected the last row to end in a line break, found the end of the file; the "
        "file may be cut off: fetch it again, or add the line break if it is complete");
  }
}

std::size_t column_of(const TableRow& header, std::string_view name) {
  const auto found = std::find(header.fields.begin(), header.fields.end(), name);
  if (found == header.fields.end()) {
    throw DataError(header.place + ": expected a column '" + std::string(name) +
                    "', found none in the header");
  }
  return static_cast<std::size_t>(found - header.fields.begin());
}

void for_each_row_of(const std::filesystem::path& path,
                     char delimiter,
                     std::span<const std::string_view> columns,
                     const std::function<void(TableRow&)>& take) {
  std::size_t n_fields = 0;  // 0: the header is still to come
  std::vector<std::size_t> positions;
  const std::string kind = delimiter == ',' ? "comma-separated" : "tab-separated";
  for_each_row(path, delimiter, [&](TableRow& row) {
    if (n_fields == 0) {
      n_fields = row.fields.size();
      for (const std::string_view column : columns) {
        positions.push_back(column_of(row, column));
      }
      return;
    }
    check_n_fields(row, n_fields, kind);
    TableRow taken{{}, std::move(row.place)};
    for (const std::size_t position : positions) {
      taken.fields.push_back(row.fields[position]);
      if (!is_utf8(taken.fields.back())) {
        throw DataError(taken.place +
                        ": expected a text in UTF-8, found other bytes; convert the file");
      }
    }
    take(taken);
  });
  if (n_fields == 0) {
    throw DataError(path.string() + ":1: expected a header, found an empty file");
  }
}

files::MappedFile open_file(const std::filesystem::path& path, std::string_view expected) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) {
    throw DataError(path.string() + ": expected " + std::string(expected) + ", found no such file" +
                    (path.is_relative()
                         ? " from the working directory " + std::filesystem::current_path().string()
                         : "") +
                    "; check the path or fetch the file");
  }
  return files::MappedFile(path);
}

void check_utf8(const files::MappedFile& file) {
  if (is_utf8(file.text())) {
    return;
  }
  const std::vector<std::string> lines = read_lines(file);
  const auto broken =
      std::find_if(lines.begin(), lines.end(), [](const auto& line) { return !is_utf8(line); });
  throw DataError(file.path().string() + ":" + std::to_string(broken - lines.begin() + 1) +
                  ": expected text in UTF-8, found other bytes; convert the file");
}

std::vector<std::string> read_lines(const files::MappedFile& file) {
  std::string_view rest = without_byte_order_mark(file.text());
  std::vector<std::string> lines;
  while (!rest.empty()) {
    const std::size_t line_break = rest.find('\n');
    std::string_view line = rest.substr(0, line_break);
    rest.remove_prefix(line_break == std::string_view::npos ? rest.size() : line_break + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    lines.emplace_back(line);
  }
  return lines;
}

void check_n_fields(const TableRow& row, std::size_t n_expected, std::string_view kind) {
  if (row.fields.size() != n_expected) {
    throw DataError(row.place + ": expected " + std::to_string(n_expected) + " " +
                    std::string(kind) + " fields, found " + std::to_string(row.fields.size()));
  }
}

}  // namespace labelprobe::data
