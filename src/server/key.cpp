#include <cstdlib>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/server/open.h"

namespace labelprobe::server {

namespace {

constexpr const char* kName = "OPENAI_API_KEY";
constexpr const char* kFile = ".env";

std::string_view stripped(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// What stands in quotes, or up to a comment.
std::string_view value_of(std::string_view text) {
  text = stripped(text);
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
    const std::size_t end = text.find(text.front(), 1);
    return text.substr(1, end == std::string_view::npos ? end : end - 1);
  }
  return stripped(text.substr(0, text.find(" #")));
}

// Lines NAME=VALUE, with `export` before them or without; of several the last one counts.
std::string key_in(std::string_view text) {
  std::string key;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = stripped(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.starts_with("export ")) line = stripped(line.substr(7));
    const std::size_t sign = line.find('=');
    if (sign != std::string_view::npos && stripped(line.substr(0, sign)) == kName) {
      key = value_of(line.substr(sign + 1));
    }
  }
  return key;
}

}  // namespace

std::string find_key() {
  std::string key;
  std::string place = kName;
  if (const char* value = std::getenv(kName); value && *value) {
    key = value;
  } else if (std::filesystem::is_regular_file(kFile)) {
    key = key_in(files::MappedFile(kFile).text());
    place = fmt::format("{}: {}", kFile, kName);
  }
  for (const char c : key) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f) {
      throw ConfigError(place + ": expected visible ASCII characters, found others");
    }
  }
  return key;
}

}  // namespace labelprobe::server
