#include "labelprobe/files/csv.h"

#include <algorithm>
#include <new>
#include <utility>

#include <csv.h>
#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"

#include "files/csv_quoting.h"
#include "files/csv_rows.h"

namespace labelprobe::files {

namespace {

// libcsv's callbacks only collect: an exception must not pass through C.
struct Collected {
  std::vector<std::string> open_row;
  std::vector<std::vector<std::string>> rows;
  bool out_of_memory = false;
  bool is_too_wide = false;
};

void end_field(void* chars, std::size_t n_chars, void* collected) {
  auto& into = *static_cast<Collected*>(collected);
  into.is_too_wide = into.is_too_wide || into.open_row.size() == limits::kTableColumns;
  if (into.is_too_wide) return;
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

void refuse_swallowed_rows(std::string_view text, const std::string& name, char delimiter) {
  const auto field = find_swallowing_field(text, delimiter);
  if (!field) return;
  const auto line_of = [&](std::size_t at) {
    return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  };
  throw DataError(fmt::format(
      "{}:{}: expected a field that ends in its row, found a quoted one up to line {} that holds "
      "{} and line breaks: a stray quote may have swallowed rows; mend the file, or take the field "
      "as pandas does with --allow-quoted-rows",
      name, line_of(field->begin), line_of(field->end), delimiter == '\t' ? "tabs" : "commas"));
}

}  // namespace

std::string_view without_mark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  text.remove_prefix(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  return text;
}

void for_each_row(const MappedFile& file,
                  char delimiter,
                  SwallowedRows swallowed,
                  const std::function<void(TableRow&)>& take,
                  const std::function<void(const std::string&)>& open_end) {
  for_each_row_of_text(file.text(), file.path().string(), delimiter, swallowed, take, open_end);
}

void for_each_row_of_text(std::string_view marked,
                          const std::string& name,
                          char delimiter,
                          SwallowedRows swallowed,
                          const std::function<void(TableRow&)>& take,
                          const std::function<void(const std::string&)>& open_end) {
  const std::string_view text = without_mark(marked);
  if (swallowed == SwallowedRows::Refuse) refuse_swallowed_rows(text, name, delimiter);
  std::string repaired;
  std::string_view rest = well_quoted(text, delimiter, repaired);
  Parser parser(delimiter);
  Collected collected;
  TableRow row;
  std::size_t first_line = 1;  // of the row being read; a quoted field may hold line breaks
  bool is_in_row = false;
  const auto place = [&] { return fmt::format("{}:{}", name, first_line); };
  const auto take_rows = [&] {
    for (std::vector<std::string>& fields : collected.rows) {
      row.fields = std::move(fields);
      row.place = place();
      take(row);
    }
    collected.rows.clear();
  };
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::size_t line_break = rest.find('\n');
    const std::size_t n_bytes = line_break == std::string_view::npos ? rest.size() : line_break + 1;
    const std::string_view line_text = rest.substr(0, n_bytes);
    if (!parser.parse(line_text, collected)) {
      throw DataError(place() + ": this row is too large to be read");
    }
    if (collected.is_too_wide) {
      throw DataError(fmt::format("{}: expected a row of at most {} fields, found more", place(),
                                  limits::kTableColumns));
    }
    rest.remove_prefix(n_bytes);
    const bool has_ended = !collected.rows.empty();
    take_rows();
    const bool is_blank = line_text.find_first_not_of("\r\n") == std::string_view::npos;
    is_in_row = !has_ended && (is_in_row || !is_blank);
    if (!is_in_row) {
      first_line = line + 1;
    }
  }
  const bool has_open_end = !marked.ends_with('\n');
  if (has_open_end && open_end && parser.parse("\n", collected) && !collected.rows.empty()) {
    take_rows();
    open_end(place());
  }
  if (!parser.finish(collected)) {
    throw DataError(place() + ": this row is too large to be read");
  }
  if (!collected.rows.empty() && (!has_open_end || open_end)) {
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
    throw DataError(
        fmt::format("{}: expected a column '{}', found none in the header", header.place, name));
  }
  return static_cast<std::size_t>(found - header.fields.begin());
}

void for_each_row_of(const MappedFile& file,
                     char delimiter,
                     std::span<const std::string_view> columns,
                     SwallowedRows swallowed,
                     const std::function<void(TableRow&)>& take) {
  std::size_t n_fields = 0;  // 0: the header is still to come
  std::vector<std::size_t> positions;
  const std::string kind = delimiter == ',' ? "comma-separated" : "tab-separated";
  for_each_row(file, delimiter, swallowed, [&](TableRow& row) {
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
    throw DataError(file.path().string() + ":1: expected a header, found an empty file");
  }
}

void check_n_fields(const TableRow& row, std::size_t n_expected, std::string_view kind) {
  if (row.fields.size() != n_expected) {
    throw DataError(fmt::format("{}: expected {} {} fields, found {}", row.place, n_expected, kind,
                                row.fields.size()));
  }
}

std::string csv_field(std::string_view text) {
  return text.find_first_of(",\"\r\n") == std::string_view::npos
             ? std::string(text)
             : fmt::format("\"{}\"", replace_all(text, "\"", "\"\""));
}

}  // namespace labelprobe::files
