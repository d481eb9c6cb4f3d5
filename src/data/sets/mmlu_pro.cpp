// MMLU-Pro (Wang et al., NeurIPS 2024) as JSON lines: validation.jsonl and test.jsonl, one object
// per row of the hub's parquet files.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/text_file.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace {

constexpr std::size_t kMaxOptions = 10;

std::string letter_of(std::size_t option, char first) {
  return {static_cast<char>(first + static_cast<char>(option))};
}

class Reader {
 public:
  Reader(std::string split, std::string delimiter)
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

}  // namespace

LoadedSplits load_mmlu_pro(const DatasetOptions& options) {
  static const std::array<std::string, 4> kSplits = {"train", "dev", "test", "validation"};
  for (const std::string& split : options.splits) {
    check_split("MMLUPro", split, kSplits);
  }
  LoadedSplits loaded;
  std::size_t n_options = 0;
  for (const std::string& split : options.splits) {
    const std::filesystem::path path =
        options.root_dir / (split == "test" ? "test.jsonl" : "validation.jsonl");
    Reader reader(split, options.delimiter);
    for_each_json_line(path, [&](const files::JsonView& row) { reader.read_row(row); });
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
