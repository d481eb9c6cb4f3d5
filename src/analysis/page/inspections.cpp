#include "labelprobe/analysis/inspections.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "labelprobe/files/json.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/record/label_step.h"

namespace labelprobe::analysis {

namespace {

using files::JsonView;

std::vector<float> numbers_of(const JsonView& list, std::size_t n) {
  std::vector<float> numbers;
  for (const JsonView& number : list.items()) {
    numbers.push_back(static_cast<float>(number.number()));
  }
  if (numbers.size() != n) {
    list.fail_expected(fmt::format("{} numbers", n), std::to_string(numbers.size()));
  }
  return numbers;
}

// A row of numbers per layer.
std::vector<JsonView> rows_of(const JsonView& list, std::size_t n) {
  std::vector<JsonView> rows = list.items();
  if (rows.size() != n) list.fail_expected(fmt::format("{} lists", n), std::to_string(rows.size()));
  return rows;
}

// A label's number less the mean over the labels.
float beyond_mean(const std::vector<float>& of_labels, std::size_t label) {
  return of_labels[label] - std::accumulate(of_labels.begin(), of_labels.end(), 0.0F) /
                                static_cast<float>(of_labels.size());
}

class StepReader {
 public:
  StepReader(const std::vector<std::string>& labels, const JsonView& step) : step_(step) {
    made_.labels = labels;
    const std::vector<float> logits = numbers_of(step.at("logits"), labels.size());
    made_.written =
        static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    const std::size_t n_states = step.at("lens").items().size();
    if (n_states == 0) step.at("lens").fail_expected("a list for each layer", "none");
    n_layers_ = n_states - 1;
  }

  SeenStep read() {
    for (const JsonView& row : rows_of(step_.at("lens"), n_layers_ + 1)) {
      made_.lens.push_back(record::softmax(numbers_of(row, made_.labels.size())));
    }
    const std::vector<JsonView> parts = rows_of(step_.at("parts"), 2 * n_layers_ + 1);
    for (std::size_t layer = 0; layer < n_layers_; ++layer) {
      made_.attention_adds.push_back(added_by(parts[2 * layer + 1]));
      made_.mlp_adds.push_back(added_by(parts[2 * layer + 2]));
    }
    if (step_.has("lens_ranks")) {
      for (const JsonView& row : rows_of(step_.at("lens_ranks"), n_layers_ + 1)) {
        const std::vector<float> ranks = numbers_of(row, made_.labels.size());
        made_.ranks.push_back(static_cast<std::int64_t>(ranks[made_.written]));
      }
    }
    if (step_.has("text_parts")) {
      for (const JsonView& part : step_.at("text_parts").items()) read_part(part);
    }
    return std::move(made_);
  }

 private:
  float added_by(const JsonView& row) const {
    return beyond_mean(numbers_of(row, made_.labels.size()), made_.written);
  }

  void read_part(const JsonView& of_text) {
    SeenStep::Part& part = made_.parts.emplace_back();
    part.name = of_text.at("name").string();
    part.n_tokens = static_cast<std::size_t>(of_text.at("n_positions").integer(0, 1'000'000'000));
    if (of_text.has("attention")) {
      const std::vector<float> weights = numbers_of(of_text.at("attention"), n_layers_);
      part.attention = std::accumulate(weights.begin(), weights.end(), 0.0F) /
                       static_cast<float>(std::max<std::size_t>(1, n_layers_));
      part.adds = 0.0F;
      for (const JsonView& row : rows_of(of_text.at("adds"), n_layers_)) {
        *part.adds += added_by(row);
      }
    }
    if (of_text.has("knocked_out")) {
      part.without = record::softmax(numbers_of(of_text.at("knocked_out"), made_.labels.size()));
    }
  }

  const JsonView& step_;
  std::size_t n_layers_ = 0;
  SeenStep made_;
};

}  // namespace

std::map<std::string, SeenItem> read_inspections(const std::filesystem::path& path) {
  std::map<std::string, SeenItem> items;
  const auto file = files::open_file(path, "lines of labelprobe inspect");
  files::for_each_json_line(file.text(), path.string(), [&](const JsonView& line) {
    const std::string& id = line.at("id").string();
    if (line.has("failure")) return;
    std::vector<std::string> labels;
    for (const JsonView& label : line.at("labels").items()) labels.push_back(label.string());
    SeenItem item{line.at("answer").string(), {}};
    for (const JsonView& step : line.at("steps").items()) {
      item.steps.push_back(StepReader(labels, step).read());
    }
    if (!items.emplace(id, std::move(item)).second) {
      line.fail(fmt::format("expected each item once, found {} again", id));
    }
  });
  return items;
}

}  // namespace labelprobe::analysis
