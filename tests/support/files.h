// Small files of tests, read and written whole.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace labelprobe::support {

// Empty where there is no such file.
std::string read_file(const std::filesystem::path& path);

// Makes the folders above it.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// Every file below `root` by its relative path; lock files, which name processes, are left out.
std::map<std::string, std::string> contents_of(const std::filesystem::path& root);

// Throws what nlohmann::json throws.
nlohmann::json read_json(const std::filesystem::path& path);

}  // namespace labelprobe::support
