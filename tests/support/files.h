// Small files of tests, read and written whole.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace labelprobe::support {

// Empty where there is no such file.
std::string read_file(const std::filesystem::path& path);

// Makes the folders above it.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// Throws what nlohmann::json throws.
nlohmann::json read_json(const std::filesystem::path& path);

}  // namespace labelprobe::support
