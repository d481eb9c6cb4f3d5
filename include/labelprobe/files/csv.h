// Tables of text: CSV and TSV with CSV quoting, as pandas' read_csv understands them. A field
// that begins with a double quote runs to the closing one, doubled quotes inside stand for one, and
// what follows the closing one up to the delimiter belongs to the field; spaces belong to the
// field; blank lines are skipped.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

struct TableRow {
  std::vector<std::string> fields;
  std::string place;  // "file:line" of its first line, for messages
};

// What becomes of a quoted field that seems to have swallowed rows: a stray quote opened it, and it
// goes on over line breaks and delimiters to the next one. In comma-separated tables texts have
// both as a matter of course: there the field must also go on behind its closing quote.
enum class SwallowedRows { Refuse, Allow };

// Calls `take` for every row, the header included; it may keep the fields. Reads the whole file
// once. Throws DataError if a quoted field is never closed, if one has swallowed rows, and if the
// last row does not end in a line break: a cut-off file can end in the middle of an id, which
// nothing else would show.
//   open_end  where given, a last row without a line break is taken as others are; then it is
//             called with the row's place
void for_each_row(const MappedFile& file,
                  char delimiter,
                  SwallowedRows swallowed,
                  const std::function<void(TableRow&)>& take,
                  const std::function<void(const std::string& place)>& open_end = nullptr);

// Position of the column called `name`; DataError if the header has none.
std::size_t column_of(const TableRow& header, std::string_view name);

// Calls `take` for every row below the header with the fields of `columns`, in that order. Throws
// DataError as for_each_row, if the header lacks a column, if a row has more or fewer fields than
// the header and if one of the fields taken is not UTF-8.
void for_each_row_of(const MappedFile& file,
                     char delimiter,
                     std::span<const std::string_view> columns,
                     SwallowedRows swallowed,
                     const std::function<void(TableRow&)>& take);

// DataError "<place>: expected <n_expected> <kind> fields, found <n>" unless the row has as many.
void check_n_fields(const TableRow& row, std::size_t n_expected, std::string_view kind);

// A field as a CSV file has it: in quotes where it needs them.
std::string csv_field(std::string_view text);

}  // namespace labelprobe::files
