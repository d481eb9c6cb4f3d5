// JSON files with errors that name file and line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
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

// Calls `take` for every line of a file of JSON lines with its place ("file:line"); blank lines are
// skipped. Throws DataError as parse_json.
void for_each_json_line(
    const std::filesystem::path& path,
    const std::function<void(const nlohmann::json&, const std::string& place)>& take);

// The value under `key`; DataError, opening with `place`, if `object` is no object or has no such
// key.
const nlohmann::json& member_of(const nlohmann::json& object,
                                const char* key,
                                const std::string& place);

// The same for strings.
std::string string_at(const nlohmann::json& object, const char* key, const std::string& place);

// The same for ids, which may be integers too; these come as their digits.
std::string id_at(const nlohmann::json& object, const char* key, const std::string& place);

}  // namespace labelprobe::data
