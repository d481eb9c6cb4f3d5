#include "data/forms/task_text.h"

#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/utf8.h"
#include "labelprobe/files/compressed.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/files/yaml_writer.h"

namespace labelprobe::data {

namespace fs = std::filesystem;

namespace {

struct SplitWord {
  std::string_view word;
  std::string_view split;
};

constexpr std::array kSplitWords = {SplitWord{"train", "train"},
                                    SplitWord{"training", "train"},
                                    SplitWord{"validation", "validation"},
                                    SplitWord{"valid", "validation"},
                                    SplitWord{"val", "validation"},
                                    SplitWord{"dev", "validation"},
                                    SplitWord{"test", "test"},
                                    SplitWord{"testing", "test"},
                                    SplitWord{"eval", "test"}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Where the last word for a split stands in a name, and how long it is; npos if there is none.
struct FoundWord {
  std::size_t at = std::string_view::npos;
  const SplitWord* word = nullptr;
};

FoundWord find_split_word(std::string_view name) {
  const std::string lower = ascii_lower(name);
  for (std::size_t end = lower.size(); end > 0;) {
    if (!is_letter(lower[end - 1])) {
      --end;
      continue;
    }
    std::size_t begin = end;
    while (begin > 0 && is_letter(lower[begin - 1])) --begin;
    const std::string_view found = std::string_view(lower).substr(begin, end - begin);
    for (const SplitWord& word : kSplitWords) {
      if (word.word == found) return {begin, &word};
    }
    end = begin;
  }
  return {};
}

std::string path_in(const fs::path& path, const fs::path& folder) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error).lexically_normal();
  if (folder.empty()) return whole.string();
  const fs::path relative =
      whole.lexically_relative(fs::absolute(folder, error).lexically_normal());
  return relative.empty() ? whole.string() : relative.string();
}

}  // namespace

bool is_yaml_file(const fs::path& path) {
  const std::string ending = ascii_lower(path.extension().string());
  return ending == ".yaml" || ending == ".yml";
}

std::string yaml_text(std::string_view text) {
  const bool is_word = !text.empty() && text.front() != ' ' && text.front() != '-' &&
                       text.back() != ' ' && std::all_of(text.begin(), text.end(), [](char c) {
                         return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                                c == '.' || c == ' ' || c == '/';
                       });
  if (is_word && files::yaml_string(text) == text) return std::string(text);
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string flow_list(std::span<const std::string> texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + yaml_text(text);
  return "[" + list + "]";
}

std::string flow_map(std::span<const std::pair<std::string, std::string>> pairs) {
  std::string map;
  for (const auto& [key, value] : pairs) {
    map += fmt::format("{}{}: {}", map.empty() ? "" : ", ", yaml_text(key), yaml_text(value));
  }
  return "{" + map + "}";
}

std::string counted(std::size_t n, std::string_view one) {
  return fmt::format("{} {}{}", files::grouped(static_cast<std::int64_t>(n)), one,
                     n == 1 ? "" : "s");
}

std::string files_line(const SplitTables& tables, const fs::path& folder) {
  const auto list_of = [&](const std::vector<fs::path>& paths) {
    std::vector<std::string> names;
    for (const fs::path& path : paths) names.push_back(path_in(path, folder));
    return names.size() == 1 ? yaml_text(names.front()) : flow_list(names);
  };
  if (tables.size() == 1 && tables.front().first.empty()) {
    return fmt::format("files: {}\n", list_of(tables.front().second));
  }
  std::string text = "files:\n";
  for (const auto& [split, paths] : tables) {
    text += fmt::format("  {}: {}\n", yaml_text(split), list_of(paths));
  }
  return text;
}

std::string split_in(std::string_view name) {
  const FoundWord found = find_split_word(name);
  return found.word == nullptr ? "" : std::string(found.word->split);
}

SplitTables tables_beside(const fs::path& path) {
  const std::string name = path.filename().string();
  const FoundWord found = find_split_word(path.stem().string());
  if (found.word == nullptr) return {{"", {path}}};
  SplitTables tables;
  for (const SplitWord& word : kSplitWords) {
    std::string other = name;
    other.replace(found.at, found.word->word.size(), word.word);
    const bool is_own = word.word == found.word->word;
    std::error_code error;
    if (is_own || fs::is_regular_file(path.parent_path() / other, error)) {
      const bool is_new = tables.empty() || tables.back().first != word.split;
      if (is_new) tables.emplace_back(word.split, std::vector<fs::path>());
      tables.back().second.push_back(is_own ? path : path.parent_path() / other);
    }
  }
  return tables;
}

std::string set_name(const fs::path& path) {
  std::string name = files::without_compression(path).stem().string();
  if (const FoundWord found = find_split_word(name); found.word != nullptr) {
    name.erase(found.at, found.word->word.size());
  }
  for (char& c : name) {
    const bool is_plain = is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!is_plain) c = '_';
  }
  while (!name.empty() && (name.back() == '_' || name.back() == '-' || name.back() == '.')) {
    name.pop_back();
  }
  name.erase(0, name.find_first_not_of("_-."));
  return name.empty() ? "task" : name;
}

}  // namespace labelprobe::data
