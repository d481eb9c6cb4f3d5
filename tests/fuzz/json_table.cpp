// Tables as JSON and as JSON lines, which the first byte chooses.
#include <nlohmann/json.hpp>

#include "labelprobe/files/table.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void json_table(std::string_view input) {
  if (input.empty()) return;
  files::TableOptions options;
  options.format = input.front() == 'l' ? files::TableFormat::JsonLines : files::TableFormat::Json;
  const files::Table table = files::read_table(file_with("a.json", input.substr(1)), options);
  for (const auto& row : table.rows) {
    if (row.size() != table.columns.size()) throw InternalError("a row of another width");
  }
  if (table.rows.size() != table.places.size()) throw InternalError("rows without places");
}

}  // namespace labelprobe::fuzz
