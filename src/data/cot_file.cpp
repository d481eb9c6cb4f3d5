#include "labelprobe/data/cot_file.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/csv.h"

#include "data/reading/records.h"

namespace labelprobe::data {

std::vector<std::pair<std::string, std::string>> load_cots(const std::filesystem::path& csv) {
  std::vector<std::pair<std::string, std::string>> cots;
  std::set<std::string> ids;
  std::size_t n_fields = 0;
  std::optional<std::size_t> cot_column;
  files::for_each_row(
      open_data_file(csv), ',', files::SwallowedRows::Refuse, [&](files::TableRow& row) {
        if (!cot_column) {
          n_fields = row.fields.size();
          const auto found = std::find(row.fields.begin(), row.fields.end(), "cot");
          if (found == row.fields.end() || found == row.fields.begin()) {
            throw DataError(row.place + ": expected a header of item ids and a column 'cot'");
          }
          cot_column = static_cast<std::size_t>(found - row.fields.begin());
          return;
        }
        files::check_n_fields(row, n_fields, "comma-separated");
        std::string& id = row.fields.front();
        if (!ids.insert(id).second) {
          throw DataError(
              fmt::format("{}: expected every id once, found '{}' again", row.place, id));
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
