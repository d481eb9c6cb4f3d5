// MMLU-Pro (Wang et al., NeurIPS 2024) as JSON lines: validation.jsonl and test.jsonl, one object
// per row of the hub's parquet files.
#include <algorithm>
#include <array>
#include <utility>

#include "labelprobe/core/error.h"

#include "data/reading/json_file.h"
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

  void read_row(const nlohmann::json& row, const std::string& place) {
    const nlohmann::json& choices = member_of(row, "options", place);
    if (!choices.is_array() || choices.empty() || choices.size() > kMaxOptions) {
      throw DataError(place + ": expected a list of 1 to " + std::to_string(kMaxOptions) +
                      " strings under 'options', found " +
                      (choices.is_array() ? std::to_string(choices.size()) : choices.type_name()));
    }
    n_options_ = std::max(n_options_, choices.size());
    const std::string question_id = id_at(row, "question_id", place);
    const std::size_t answer = answer_of(row, choices.size(), place);
    if (const auto letter = row.find("answer");
        letter != row.end() && *letter != letter_of(answer, 'A')) {
      contradictory_.push_back(question_id);
    }
    records_.add({question_id,
                  text_of(row, choices, place),
                  {{std::string(kAggregate), {static_cast<LabelIndex>(answer)}}}},
                 place);
  }

  std::size_t n_options() const { return n_options_; }

  SplitRecords finish(std::vector<std::string>& warnings) {
    if (!contradictory_.empty()) {
      warnings.push_back("MMLUPro, split " + records_.split() + ": " +
                         std::to_string(contradictory_.size()) +
                         " questions have an 'answer' that is not their 'answer_index', which "
                         "counts: " +
                         some_of(contradictory_));
    }
    return std::move(records_);
  }

 private:
  static std::size_t answer_of(const nlohmann::json& row,
                               std::size_t n_options,
                               const std::string& place) {
    const nlohmann::json& answer = member_of(row, "answer_index", place);
    if (!answer.is_number_unsigned() || answer.get<std::size_t>() >= n_options) {
      throw DataError(place + ": expected an 'answer_index' from 0 to " +
                      std::to_string(n_options - 1) + ", found " + shown(answer.dump()));
    }
    return answer.get<std::size_t>();
  }

  std::string text_of(const nlohmann::json& row,
                      const nlohmann::json& choices,
                      const std::string& place) const {
    std::string text = string_at(row, "question", place) + "\n";
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (!choices[i].is_string()) {
        throw DataError(place + ": expected strings in 'options', found " + choices[i].type_name());
      }
      text += (i > 0 ? delimiter_ : "") + letter_of(i, 'A') + ". " +
              choices[i].get_ref<const std::string&>();
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
    for_each_json_line(path, [&](const nlohmann::json& row, const std::string& place) {
      reader.read_row(row, place);
    });
    if (reader.n_options() == 0) {
      throw DataError(path.string() + ":1: expected rows, found an empty file");
    }
    // The label set of the last split counts; a split with fewer options before it is no trouble.
    if (n_options > reader.n_options()) {
      throw DataError(path.string() + ": expected a question with " + std::to_string(n_options) +
                      " options as in the split before, found at most " +
                      std::to_string(reader.n_options()));
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
