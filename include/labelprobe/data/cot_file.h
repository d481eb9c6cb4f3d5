// Chains of thought for demonstrations, as a CSV file keeps them.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace labelprobe::data {

// The column `cot` beside the full item id ("de0__aggregate"), which is the first column, row by
// row. Throws DataError
// (file, line, expected, found) for a file without that column or with an id twice.
std::vector<std::pair<std::string, std::string>> load_cots(const std::filesystem::path& csv);

}  // namespace labelprobe::data
