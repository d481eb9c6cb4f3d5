#include "labelprobe/data/cot_file.h"

#include <algorithm>
#include <optional>
#include <set>

#include "labelprobe/core/error.h"

#include "data/reading/table_file.h"

namespace labelprobe::data {

std::vector<std::pair<std::string, std::string>> load_cots(const std::filesystem::path& csv) {
  std::vector<std::pair<std::string, std::string>> cots;
  std::set<std::string> ids;
  std::size_t n_fields = 0;
  std::optional<std::size_t> cot_column;
  for_each_row(csv, ',', [&](TableRow& row) {
    if (!cot_column) {
      n_fields = row.fields.size();
      const auto found = std::find(row.fields.begin(), row.fields.end(), "cot");
      if (found == row.fields.end() || found == row.fields.begin()) {
        throw DataError(row.place + ": expected a header of item ids and a column 'cot'");
      }
      cot_column = static_cast<std::size_t>(found - row.fields.begin());
      return;
    }
    check_n_fields(row, n_fields, "comma-separated");
    std::string& id = row.fields.front();
    if (!ids.insert(id).second) {
      throw DataError(row.place + ": expected every id once, found '" + id + "' again");
    }
    cots.emplace_back(std::move(id), std::move(row.fields[*cot_column]));
  });
  if (!cot_column) {
    throw DataError(csv.string() +
                    ": expected a header of item ids and a column 'cot', found an "
                    "empty file");
  }
  return cots;
}

}  // namespace labelprobe::data
