#include "record/log/log_entries.h"

#include <algorithm>

#include "record/log/experiment_files.h"

namespace labelprobe::record {

namespace {

// The key of an entry whose first line has nothing but it, spelled with characters that mean
// themselves; empty for others.
std::string_view plain_key(std::string_view entry) {
  const std::string_view line = entry.substr(0, entry.find('\n'));
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == line.npos || !line.ends_with(':')) return {};
  const std::string_view key = line.substr(begin, line.size() - begin - 1);
  const bool is_plain = std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  return is_plain ? key : std::string_view();
}

}  // namespace

LogEntries::LogEntries(std::filesystem::path path, const Lines& lines) : path_(std::move(path)) {
  for (const Lines& entry : find_entries(lines)) {
    if (entry.first_line != lines.first_line) {
      add(entry);
      continue;
    }
    add_members(files::parse_yaml(entry.text, {path_.string(), ErrorKind::Data, entry.first_line})
                    .members()
                    .at(0)
                    .second);
  }
}

LogEntries::LogEntries(std::filesystem::path path, const files::YamlView& entries)
    : path_(std::move(path)) {
  add_members(entries);
}

void LogEntries::add(const Lines& entry) {
  if (const std::string_view key = plain_key(entry.text); !key.empty()) {
    entries_.emplace_back(key, entry);
    return;
  }
  const auto members =
      files::parse_yaml(entry.text, {path_.string(), ErrorKind::Data, entry.first_line}).members();
  if (members.size() == 1 && members[0].first.text() != kDescriptionKey) {
    entries_.emplace_back(members[0].first.text(), entry);
  }
}

void LogEntries::add_members(const files::YamlView& entries) {
  if (!entries.is_map()) entries.fail_expected("a mapping of ids to entries");
  for (const auto& [key, entry] : entries.members()) {
    if (key.text() != kDescriptionKey) entries_.emplace_back(key.text(), entry);
  }
}

files::YamlView LogEntries::parse(std::size_t place) const {
  const Entry& entry = entries_[place].second;
  if (const auto* view = std::get_if<files::YamlView>(&entry)) return *view;
  const Lines& lines = std::get<Lines>(entry);
  const files::YamlView root =
      files::parse_yaml(lines.text, {path_.string(), ErrorKind::Data, lines.first_line});
  return root.members().at(0).second;
}

LogEntries LogEntries::below(std::size_t place) const {
  if (const auto* lines = std::get_if<Lines>(&entries_[place].second)) {
    return {path_, *lines};
  }
  return {path_, parse(place)};
}

}  // namespace labelprobe::record
