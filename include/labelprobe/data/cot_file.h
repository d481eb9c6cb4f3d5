// Chains of thought for demonstrations, as a CSV file keeps them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace labelprobe::data {

// The column `cot` by full item id ("de0__aggregate"), which is the first column. Throws DataError
// (file, line, expected, found) for a file without that column or with an id twice.
std::map<std::string, std::string> load_cots(const std::filesystem::path& csv);

}  // namespace labelprobe::data
