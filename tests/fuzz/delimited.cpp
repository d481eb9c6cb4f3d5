// CSV and TSV. The first byte says which, and whether swallowed rows are taken.
#include <nlohmann/json.hpp>

#include "labelprobe/files/csv.h"
#include "labelprobe/files/table.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void delimited(std::string_view input) {
  if (input.empty()) return;
  const unsigned choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  const auto path = file_with("a.csv", input);
  files::TableOptions options;
  options.format = (choice & 1U) != 0 ? files::TableFormat::Tsv : files::TableFormat::Csv;
  if ((choice & 2U) != 0) options.swallowed = files::SwallowedRows::Allow;
  if ((choice & 4U) != 0) options.delimiter = ';';
  if ((choice & 8U) != 0) options.rows = files::TableRows::None;
  const files::Table table = files::read_table(path, options);
  for (const auto& row : table.rows) {
    for (const auto& cell : row) keep(files::csv_field(cell.get<std::string>()).size());
  }
  const std::string_view columns[] = {"id", "text"};
  files::for_each_row_of(files::MappedFile(path), '\t', columns, options.swallowed,
                         [](const files::TableRow& row) { keep(row.fields.size()); });
}

}  // namespace labelprobe::fuzz
