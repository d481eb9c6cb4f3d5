// The entries of an experiment in a log file but for its description: their keys first, each entry
// parsed when it is asked for.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "labelprobe/files/yaml.h"

#include "record/log/log_lines.h"

namespace labelprobe::record {

class LogEntries {
 public:
  //   lines  of the experiment, "experiment_0:" first; the text must outlive the entries
  //   path   for messages
  LogEntries(std::filesystem::path path, const Lines& lines);

  std::size_t size() const { return entries_.size(); }
  const std::string& key(std::size_t place) const { return entries_[place].first; }

  // A parsed entry is many times its text, so only what is held here is in memory.
  files::YamlView parse(std::size_t place) const;

  // The entries of an entry, as annotator_preds.yml has them.
  LogEntries below(std::size_t place) const;

 private:
  using Entry = std::variant<Lines, files::YamlView>;

  LogEntries(std::filesystem::path path, const files::YamlView& entries);
  void add(const Lines& entry);
  void add_members(const files::YamlView& entries);

  std::filesystem::path path_;
  std::vector<std::pair<std::string, Entry>> entries_;
};

}  // namespace labelprobe::record
