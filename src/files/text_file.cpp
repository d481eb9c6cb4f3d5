#include "labelprobe/files/text_file.h"

#include <algorithm>
#include <system_error>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::files {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

MappedFile open_file(const std::filesystem::path& path, std::string_view expected) {
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) {
    throw DataError(
        fmt::format("{}: expected {}, found no such file{}; check the path or fetch the file",
                    path.string(), expected,
                    path.is_relative()
                        ? " from the working directory " + std::filesystem::current_path().string()
                        : ""));
  }
  return MappedFile(path);
}

void check_utf8(const MappedFile& file) {
  if (is_utf8(file.text())) {
    return;
  }
  const std::vector<std::string> lines = read_lines(file);
  const auto broken =
      std::find_if(lines.begin(), lines.end(), [](const auto& line) { return !is_utf8(line); });
  throw DataError(fmt::format("{}:{}: expected text in UTF-8, found other bytes; convert the file",
                              file.path().string(), broken - lines.begin() + 1));
}

std::string_view text_of(const MappedFile& file) {
  std::string_view text = file.text();
  text.remove_prefix(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  return text;
}

std::vector<std::string> read_lines(const MappedFile& file) {
  std::string_view rest = text_of(file);
  std::vector<std::string> lines;
  while (!rest.empty()) {
    const std::size_t line_break = rest.find('\n');
    std::string_view line = rest.substr(0, line_break);
    rest.remove_prefix(line_break == std::string_view::npos ? rest.size() : line_break + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    lines.emplace_back(line);
  }
  return lines;
}

std::string printable(std::string_view found) {
  constexpr std::size_t kMaxBytes = 40;
  std::string cut(found.substr(0, kMaxBytes));
  const bool is_whole = is_utf8(cut);
  for (char& c : cut) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !is_whole)) {
      c = '?';
    }
  }
  return cut + (found.size() > kMaxBytes ? "..." : "");
}

std::string shown(std::string_view found) {
  return fmt::format("'{}'", printable(found));
}

std::string some_of(std::span<const std::string> names) {
  std::string listed;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 5); ++i) {
    listed += (i > 0 ? ", " : "") + names[i];
  }
  return names.size() > 5 ? listed + ", ..." : listed;
}

}  // namespace labelprobe::files
