// A sheet of a workbook as a table.
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/workbook.h"

#include "files/table_readers.h"

namespace labelprobe::files {

namespace {

std::string sheet_of(const Workbook& workbook, const std::string& asked, const std::string& name) {
  if (!asked.empty()) return asked;
  const std::vector<std::string>& sheets = workbook.sheets();
  if (sheets.size() == 1) return sheets.front();
  throw DataError(
      fmt::format("{}: expected one sheet, or its name as 'sheet', found {}", name,
                  sheets.empty() ? "none" : fmt::format("{}", fmt::join(sheets, ", "))));
}

}  // namespace

void read_workbook(const std::filesystem::path& path, const std::string& sheet, Table& table) {
  const Workbook workbook(path);
  const std::string chosen = sheet_of(workbook, sheet, table.name);
  workbook.for_each_row(chosen, [&](SheetRow& row) {
    const std::string place = workbook.place_of(chosen, row.number, 0);
    while (!row.cells.empty() && row.cells.back().empty()) row.cells.pop_back();
    for (const std::string& cell : row.cells) {
      if (!is_utf8(cell)) throw DataError(place + ": expected text in UTF-8, found other bytes");
    }
    if (table.columns.empty()) {
      table.columns = std::move(row.cells);
      return;
    }
    if (row.cells.size() > table.columns.size()) {
      throw DataError(fmt::format("{}: expected at most {} cells, as the header has, found {}",
                                  place, table.columns.size(), row.cells.size()));
    }
    row.cells.resize(table.columns.size());
    table.rows.emplace_back(row.cells.begin(), row.cells.end());
    table.places.push_back(place);
  });
}

}  // namespace labelprobe::files
