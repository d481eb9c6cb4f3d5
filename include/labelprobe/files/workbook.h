// Reads the cells of Office Open XML workbooks (.xlsx) as text.
// Goals: the values of plain tables, whichever program wrote them; hostile files end in an error.
// Non-goals: formats, dates, formulas (their stored results are read), writing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace labelprobe::files {

struct SheetRow {
  std::size_t number = 0;          // from 1, as people see it
  std::vector<std::string> cells;  // from column A; empty cells are "", numbers as in the file
};

class Workbook {
 public:
  // Throws DataError if the file is missing, is no workbook, or if a part of it is damaged, too
  // large or declares a document type.
  explicit Workbook(std::filesystem::path path);

  // Names, in the order in which people see them.
  const std::vector<std::string>& sheets() const { return sheets_; }

  // Calls `take` for every row of the sheet that has a cell with content. Throws DataError if there
  // is no such sheet, and for a cell that cannot be, naming it.
  void for_each_row(const std::string& sheet, const std::function<void(SheetRow&)>& take) const;

  // "file: sheet 'slurs', cell B12"; columns count from 0, rows from 1.
  std::string place_of(const std::string& sheet, std::size_t row, std::size_t column) const;

 private:
  std::filesystem::path path_;
  std::vector<std::string> sheets_;
  std::map<std::string, std::string> part_of_sheet_;  // by the sheet's name
  std::vector<std::string> shared_strings_;
};

}  // namespace labelprobe::files
