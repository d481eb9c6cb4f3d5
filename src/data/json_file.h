// JSON files with errors that name file and line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace labelprobe::data {

// Nesting beyond this is no data set but an attack on the stack.
inline constexpr int kMaxJsonDepth = 32;

// Parses `text`, whose first line is line `first_line` of `path`.
// Throws DataError with file and line if it is no JSON, nested too deeply, or if a key of the
// outermost object is there twice.
nlohmann::json parse_json(const std::filesystem::path& path,
                          std::string_view text,
                          std::size_t first_line = 1);

// The same for small files whose order of keys has a meaning.
nlohmann::ordered_json parse_json_in_order(const std::filesystem::path& path,
                                           std::string_view text);

}  // namespace labelprobe::data
