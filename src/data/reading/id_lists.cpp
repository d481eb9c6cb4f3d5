#include "data/reading/id_lists.h"

#include <algorithm>

#include <fmt/core.h>

#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

namespace labelprobe::data {

namespace {

// Distinct, in the order of the file.
std::vector<std::string> read_ids(const std::string& path) {
  std::vector<std::string> ids;
  std::unordered_set<std::string> seen;
  for (const std::string& line :
       files::read_lines(files::open_file(path, "a list of ids, one a line"))) {
    std::string id(python::strip(line));
    if (!id.empty() && seen.insert(id).second) {
      ids.push_back(std::move(id));
    }
  }
  return ids;
}

std::string warn_unknown(const std::string& path,
                         const std::vector<std::string>& unknown,
                         std::size_t n_ids,
                         const std::vector<std::string>& splits) {
  std::string names;
  for (const std::string& split : splits) {
    names += (names.empty() ? "" : ", ") + split;
  }
  return fmt::format("{}: {} of {} ids are not in the data loaded ({}) and are ignored: {}", path,
                     unknown.size(), n_ids, names, files::some_of(unknown));
}

}  // namespace

std::optional<std::unordered_set<std::string>> allowed_ids(const DatasetOptions& options,
                                                           const std::vector<SplitRecords>& splits,
                                                           std::vector<std::string>& warnings) {
  if (options.ids_filenames.empty()) {
    return std::nullopt;
  }
  std::unordered_set<std::string> allowed;
  // A list belongs to the split beside it, yet its ids count in every split: one list serves
  // `dev test`. Splits without a list beside them add no ids of their own.
  const std::size_t n_pairs = std::min(options.ids_filenames.size(), splits.size());
  for (std::size_t i = 0; i < n_pairs; ++i) {
    const std::string& path = options.ids_filenames[i];
    if (path.empty()) {
      for (const Record& record : splits[i].records()) {
        allowed.insert(record.example_id);
      }
      continue;
    }
    const std::vector<std::string> ids = read_ids(path);
    std::vector<std::string> unknown;
    for (const std::string& id : ids) {
      const bool is_known =
          std::any_of(splits.begin(), splits.end(),
                      [&](const SplitRecords& split) { return split.find(id) != nullptr; });
      if (!is_known) {
        unknown.push_back(id);
      }
    }
    if (!unknown.empty()) {
      warnings.push_back(warn_unknown(path, unknown, ids.size(), options.splits));
    }
    allowed.insert(ids.begin(), ids.end());
  }
  for (std::size_t i = n_pairs; i < options.ids_filenames.size(); ++i) {
    warnings.push_back(options.ids_filenames[i] +
                       ": this id list is ignored, because there are fewer splits than id lists");
  }
  return allowed;
}

}  // namespace labelprobe::data
