// TREC question classification (Li & Roth, 2002) in the files of its authors: a line is
// "COARSE:fine text".
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/python/text.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace {

// In the order of the label set.
const std::array<std::string, 6> kCoarseNames = {"ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"};

LabelIndex label_of(std::string_view kind, const std::string& place) {
  const std::size_t colon = kind.find(':');
  if (colon == std::string_view::npos) {
    throw DataError(
        fmt::format("{}: expected a line 'COARSE:fine text', found {}", place, files::shown(kind)));
  }
  const std::string coarse(kind.substr(0, colon));
  const auto found = std::find(kCoarseNames.begin(), kCoarseNames.end(), coarse);
  if (found == kCoarseNames.end()) {
    throw DataError(fmt::format(
        "{}: {}", place, unknown_choice("coarse label", files::printable(coarse), kCoarseNames)));
  }
  return static_cast<LabelIndex>(found - kCoarseNames.begin());
}

// The published file has the byte F0 once where a space belongs, and the hub's reader puts one
// there. Characters that begin with that byte stay; other bytes that are no UTF-8 are refused
// later.
std::string mended(std::string_view line) {
  std::string text;
  while (!line.empty()) {
    const std::size_t n_good = first_non_utf8(line);
    text.append(line.substr(0, n_good));
    line.remove_prefix(n_good);
    if (!line.empty()) {
      text += line.front() == '\xF0' ? ' ' : line.front();
      line.remove_prefix(1);
    }
  }
  return text;
}

SplitRecords read_split(const std::filesystem::path& path, const std::string& split) {
  const files::MappedFile file = open_data_file(path);
  if (!file.text().ends_with('\n')) {
    throw DataError(fmt::format(
        "{}: expected lines that all end in a line break, found {}", path.string(),
        file.text().empty() ? "an empty file" : "a last line without; the file may be cut off"));
  }
  SplitRecords records(split);
  std::size_t n_lines = 0;
  for (const std::string& raw : files::read_lines(file)) {
    const std::string row_id = std::to_string(n_lines++);
    const std::string place = fmt::format("{}:{}", path.string(), n_lines);
    const std::string line = mended(raw);
    const std::string_view row = python::strip(line);
    const std::size_t space = row.find(' ');
    const LabelIndex label = label_of(row.substr(0, space), place);
    if (space == std::string_view::npos) {
      throw DataError(
          fmt::format("{}: expected a question behind {}, found none", place, files::shown(row)));
    }
    records.add({row_id, std::string(row.substr(space + 1)), {{std::string(kAggregate), {label}}}},
                place);
  }
  return records;
}

}  // namespace

LoadedSplits load_trec(const DatasetOptions& options) {
  static const std::array<std::string, 3> kSplits = {"train", "dev", "test"};
  for (const std::string& split : options.splits) {
    check_split("TREC", split, kSplits);
  }
  LoadedSplits loaded;
  loaded.label_set =
      LabelSet({"abbreviation", "entity", "description", "human", "location", "numeric"},
               LabelKind::SingleLabel);
  for (const std::string& split : options.splits) {
    const char* const name = split == "train" ? "train_5500.label" : "TREC_10.label";
    loaded.splits.push_back(read_split(options.root_dir / name, split));
  }
  return loaded;
}

}  // namespace labelprobe::data
