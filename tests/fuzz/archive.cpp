// Workbooks as they come: a ZIP archive of any bytes.
#include "labelprobe/files/workbook.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void archive(std::string_view input) {
  const files::Workbook workbook(file_with("a.xlsx", input));
  for (const std::string& sheet : workbook.sheets()) {
    workbook.for_each_row(sheet, [](const files::SheetRow& row) { keep(row.cells.size()); });
  }
}

}  // namespace labelprobe::fuzz
