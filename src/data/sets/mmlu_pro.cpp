// MMLU-Pro (Wang et al., NeurIPS 2024): the Parquet files of the hub below data/, or JSON lines
// with one object per row of them, validation.jsonl and test.jsonl.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/table.h"
#include "labelprobe/files/text_file.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace {

constexpr std::size_t kMaxOptions = 10;

std::string letter_of(std::size_t option, char first) {
  return {static_cast<char>(first + static_cast<char>(option))};
}

class MmluProReader {
 public:
  MmluProReader(std::string split, std::string delimiter)
      : records_(std::move(split)), delimiter_(std::move(delimiter)) {}

  void read_row(const files::JsonView& row) {
    const files::JsonView choices = row.at("options");
    const std::size_t n_options = choices.value().is_array() ? choices.value().size() : 0;
    if (n_options == 0 || n_options > kMaxOptions) {
      choices.fail_expected(fmt::format("a list of 1 to {} strings", kMaxOptions),
                            choices.value().is_array() ? std::to_string(choices.value().size())
                                                       : choices.value().type_name());
    }
    n_options_ = std::max(n_options_, n_options);
    const std::string question_id = id_of(row.at("question_id"));
    const auto answer = static_cast<LabelIndex>(
        row.at("answer_index").integer(0, static_cast<std::int64_t>(n_options) - 1));
    if (const files::JsonView letter = row.find("answer");
        !letter.is_null() && letter.value() != letter_of(static_cast<std::size_t>(answer), 'A')) {
      contradictory_.push_back(question_id);
    }
    records_.add({question_id, text_of(row), {{std::string(kAggregate), {answer}}}}, row.place());
  }

  std::size_t n_options() const { return n_options_; }

  SplitRecords finish(std::vector<std::string>& warnings) {
    if (!contradictory_.empty()) {
      warnings.push_back(
          fmt::format("MMLUPro, split {}: {} questions have an 'answer' that is not their "
                      "'answer_index', which counts: {}",
                      records_.split(), contradictory_.size(), files::some_of(contradictory_)));
    }
    return std::move(records_);
  }

 private:
  std::string text_of(const files::JsonView& row) const {
    std::string text = row.at("question").string() + "\n";
    const std::vector<std::string> choices = strings_of(row.at("options"), "strings");
    for (std::size_t i = 0; i < choices.size(); ++i) {
      text += fmt::format("{}{}. {}", i > 0 ? delimiter_ : "", letter_of(i, 'A'), choices[i]);
    }
    return text;
  }

  SplitRecords records_;
  std::string delimiter_;
  std::size_t n_options_ = 0;  // the most that a question has
  std::vector<std::string> contradictory_;
};

// JSON lines or the hub's own file, whichever is there.
std::filesystem::path file_of(const DatasetOptions& options, const std::string& split) {
  const std::string part = split == "test" ? "test" : "validation";
  std::filesystem::path lines = options.root_dir / (part + ".jsonl");
  std::filesystem::path parquet =
      options.root_dir / "data" / fmt::format("{}-00000-of-00001.parquet", part);
  return std::filesystem::exists(parquet) && !std::filesystem::exists(lines) ? parquet : lines;
}

void read_file(const std::filesystem::path& path, MmluProReader& reader) {
  if (path.extension() != ".parquet") {
    for_each_json_line(path, [&](const files::JsonView& row) { reader.read_row(row); });
    return;
  }
  const files::Table table = files::read_table(path);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    nlohmann::json row;
    for (std::size_t k = 0; k < table.columns.size(); ++k) row[table.columns[k]] = table.rows[i][k];
    reader.read_row(files::parse_json(row.dump(), {table.places[i]}));
  }
}

}  // namespace

LoadedSplits load_mmlu_pro(const DatasetOptions& options) {
  static const std::array<std::string, 4> kSplits = {"train", "dev", "test", "validation"};
  for (const std::string& split : options.splits) {
    check_split("MMLUPro", split, kSplits);
  }
  LoadedSplits loaded;
  std::size_t n_options = 0;
  for (const std::string& split : options.splits) {
    const std::filesystem::path path = file_of(options, split);
    MmluProReader reader(split, options.delimiter);
    read_file(path, reader);
    if (reader.n_options() == 0) {
      throw DataError(path.string() + ":1: expected rows, found an empty file");
    }
    // The label set of the last split counts; a split with fewer options before it is no trouble.
    if (n_options > reader.n_options()) {
      throw DataError(fmt::format(
          "{}: expected a question with {} options as in the split before, found at most {}",
          path.string(), n_options, reader.n_options()));
    }
    n_options = reader.n_options();
    loaded.splits.push_back(reader.finish(loaded.warnings));
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < n_options; ++i) {
    names.push_back(letter_of(i, 'a'));
  }
  loaded.label_set = LabelSet(names, LabelKind::SingleLabel);
  return loaded;
}

}  // namespace labelprobe::data
