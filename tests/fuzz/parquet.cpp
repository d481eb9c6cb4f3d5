#include <nlohmann/json.hpp>

#include "labelprobe/files/table.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void parquet(std::string_view input) {
  const files::Table table = files::read_table(file_with("a.parquet", input));
  for (const auto& row : table.rows) {
    for (const auto& cell : row) {
      keep(cell.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).size());
    }
  }
}

}  // namespace labelprobe::fuzz
