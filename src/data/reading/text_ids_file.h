// YAML files that map split -> text -> example id.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace labelprobe::data {

using TextIds = std::unordered_map<std::string, std::string>;

// The texts of `splits`, in that order. Takes the parser's events: a tree of megabytes of texts
// would take seconds. Throws DataError (file, line, expected, found) for anything but a map
// of maps of scalars, and for a split, a text or an id that is there twice.
std::vector<TextIds> read_text_ids(const std::filesystem::path& path,
                                   std::span<const std::string> splits);

}  // namespace labelprobe::data
