// The readers of table.h's formats. Each appends columns, rows and places to a table that has its
// name and nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/table.h"

namespace labelprobe::files {

// A sentence about a last row without a line break.
std::string open_end_note(const std::string& place);

// The text may begin with a byte-order mark.
void read_delimited(std::string_view text, char delimiter, SwallowedRows swallowed, Table& table);

// Lines as a table with the column "line".
void read_text_lines(std::string_view text, Table& table);

void read_json_lines(std::string_view text, Table& table);

void read_json_table(std::string_view text, Table& table);

// The sheet of that name; empty: the only one.
void read_workbook(const std::filesystem::path& path, const std::string& sheet, Table& table);

void read_parquet(std::string_view bytes, TableRows rows, Table& table);

}  // namespace labelprobe::files
