// SemEval 2018 Task 1 E-c (Mohammad et al., 2018) in the files of its organisers:
// <Language>/E-c/2018-E-c-<Lg>-<part>.txt.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/text_file.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace {

constexpr std::size_t kNEmotions = 11;

// In the order of the label set.
const std::array<std::string, kNEmotions> kSemEvalEmotions = {
    "anger",    "anticipation", "disgust", "fear",     "joy",  "love",
    "optimism", "pessimism",    "sadness", "surprise", "trust"};

struct Language {
  std::string_view folder;
  std::string_view code;
};

Language language_of(const std::string& name) {
  static const std::array<std::string, 3> kNames = {"english", "arabic", "spanish"};
  static constexpr std::array<Language, 3> kLanguages = {
      Language{"English", "En"}, Language{"Arabic", "Ar"}, Language{"Spanish", "Es"}};
  const auto found = std::find(kNames.begin(), kNames.end(), ascii_lower(name));
  if (found == kNames.end()) {
    throw ConfigError(unknown_choice("SemEval language", name, kNames));
  }
  return kLanguages[static_cast<std::size_t>(found - kNames.begin())];
}

std::filesystem::path path_of(const DatasetOptions& options,
                              const Language& language,
                              const std::string& split) {
  const std::string part = split == "test" ? "test-gold" : split;
  return options.root_dir / language.folder / "E-c" /
         (fmt::format("2018-E-c-{}-{}.txt", language.code, part));
}

// The label of every column behind ID and Tweet.
std::vector<LabelIndex> read_header(const files::TableRow& header) {
  const std::vector<std::string>& names = header.fields;
  if (names.size() < 2 || names[0] != "ID" || names[1] != "Tweet") {
    throw DataError(fmt::format("{}: expected a header that begins with ID and Tweet, found {}",
                                header.place,
                                files::shown(names[0] + (names.size() < 2 ? "" : " " + names[1]))));
  }
  files::check_n_fields(header, 2 + kNEmotions, "tab-separated");
  std::vector<LabelIndex> labels;
  for (std::size_t i = 2; i < names.size(); ++i) {
    const auto found =
        std::find(kSemEvalEmotions.begin(), kSemEvalEmotions.end(), ascii_lower(names[i]));
    if (found == kSemEvalEmotions.end()) {
      throw DataError(
          fmt::format("{}: {}", header.place,
                      unknown_choice("emotion", files::printable(names[i]), kSemEvalEmotions)));
    }
    const auto label = static_cast<LabelIndex>(found - kSemEvalEmotions.begin());
    if (std::find(labels.begin(), labels.end(), label) != labels.end()) {
      throw DataError(fmt::format("{}: expected every emotion once, found {} again", header.place,
                                  files::shown(names[i])));
    }
    labels.push_back(label);
  }
  return labels;
}

Record read_row(files::TableRow& row, const std::vector<LabelIndex>& label_of_column) {
  files::check_n_fields(row, 2 + kNEmotions, "tab-separated");
  Labels labels;
  for (std::size_t i = 0; i < label_of_column.size(); ++i) {
    const std::string& mark = row.fields[2 + i];
    if (mark != "0" && mark != "1") {
      throw DataError(fmt::format("{}: expected 0 or 1 for {}, found {}", row.place,
                                  kSemEvalEmotions[static_cast<std::size_t>(label_of_column[i])],
                                  files::shown(mark)));
    }
    if (mark == "1") {
      labels.push_back(label_of_column[i]);
    }
  }
  return {std::move(row.fields[0]),
          std::move(row.fields[1]),
          {{std::string(kAggregate), sorted_labels(std::move(labels))}}};
}

SplitRecords read_split(const std::filesystem::path& path,
                        const std::string& split,
                        files::SwallowedRows swallowed) {
  SplitRecords records(split);
  std::vector<LabelIndex> label_of_column;
  files::for_each_row(open_data_file(path), '\t', swallowed, [&](files::TableRow& row) {
    if (label_of_column.empty()) {
      label_of_column = read_header(row);
    } else {
      records.add(read_row(row, label_of_column), row.place);
    }
  });
  if (records.records().empty()) {
    throw DataError(fmt::format("{}:1: expected a header and rows, found {}", path.string(),
                                label_of_column.empty() ? "an empty file" : "a header only"));
  }
  return records;
}

}  // namespace

LoadedSplits load_sem_eval(const DatasetOptions& options) {
  static const std::array<std::string, 4> kSplits = {"train", "dev", "test", "smalldev"};
  for (const std::string& split : options.splits) {
    check_split("SemEval", split, kSplits);
  }
  const Language language = language_of(options.language);
  LoadedSplits loaded;
  loaded.label_set =
      LabelSet({kSemEvalEmotions.begin(), kSemEvalEmotions.end()}, LabelKind::MultiLabel);
  for (const std::string& split : options.splits) {
    loaded.splits.push_back(
        read_split(path_of(options, language, split), split, swallowed_rows(options)));
  }
  return loaded;
}

}  // namespace labelprobe::data
