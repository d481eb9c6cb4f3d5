#include "record/log/log_lines.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

namespace labelprobe::record {

namespace {

constexpr std::string_view kLinePrefix = "experiment_";

// Calls `take` with every line, its end included, and its number in the file.
void each_line(const Lines& lines,
               const std::function<void(std::string_view line, std::size_t number)>& take) {
  std::size_t number = lines.first_line;
  for (std::size_t at = 0; at < lines.text.size(); ++number) {
    const std::size_t end = std::min(lines.text.find('\n', at), lines.text.size() - 1) + 1;
    take(lines.text.substr(at, end - at), number);
    at = end;
  }
}

// Lengthens `lines` up to the end of `line`, which stands behind them.
void take_in(Lines& lines, std::string_view line) {
  lines.text = std::string_view(
      lines.text.data(), static_cast<std::size_t>(line.data() + line.size() - lines.text.data()));
}

// The index in "experiment_<index>:", nullopt for other lines.
std::optional<int> experiment_begun(std::string_view line) {
  if (!line.starts_with(kLinePrefix)) return std::nullopt;
  int index = 0;
  const char* end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + kLinePrefix.size(), end, index);
  return error == std::errc() && stop != end && *stop == ':' ? std::optional(index) : std::nullopt;
}

}  // namespace

std::vector<Block> find_blocks(std::string_view text) {
  std::vector<Block> blocks;
  bool is_inside = false;
  each_line({text}, [&](std::string_view line, std::size_t number) {
    if (const auto index = experiment_begun(line)) {
      blocks.push_back({*index, {line.substr(0, 0), number}});
      is_inside = true;
    }
    // Whatever else begins in the first column is not of this experiment: what a process wrote of
    // the next one before it died.
    is_inside = is_inside && (experiment_begun(line) ||
                              std::string_view(" \n\r#}").find(line[0]) != std::string_view::npos);
    if (is_inside) take_in(blocks.back().lines, line);
  });
  return blocks;
}

std::vector<Lines> find_entries(const Lines& block) {
  const Lines whole = block;
  const std::size_t n_first = block.text.find('\n');
  const bool has_anchors = block.text.find(": &") != std::string_view::npos ||
                           block.text.find("- &") != std::string_view::npos;
  if (n_first == std::string_view::npos || has_anchors ||
      block.text.find_first_not_of(" \r", block.text.find(':') + 1) != n_first) {
    return {whole};
  }
  std::vector<Lines> entries;
  std::size_t indent = 0;
  bool is_regular = true;
  each_line({block.text.substr(n_first + 1), block.first_line + 1},
            [&](std::string_view line, std::size_t number) {
              const std::size_t n_spaces = line.find_first_not_of(' ');
              if (n_spaces == std::string_view::npos || line[n_spaces] == '\n') {
                if (!entries.empty()) take_in(entries.back(), line);
                return;
              }
              if (entries.empty()) indent = n_spaces;
              const char first = line[n_spaces];
              is_regular = is_regular && indent > 0 && n_spaces >= indent &&
                           !(n_spaces == indent && first == '-');
              // ":" goes on with a long key, which stands in a line of its own.
              if (n_spaces == indent && first != ':' && first != '#') {
                entries.push_back({line.substr(0, 0), number});
              }
              if (!entries.empty()) take_in(entries.back(), line);
            });
  return is_regular && !entries.empty() ? entries : std::vector<Lines>{whole};
}

}  // namespace labelprobe::record
