#include "labelprobe/analysis/attention_shares.h"

#include <array>

#include <fmt/format.h>

#include "analysis/report/numbers.h"

namespace labelprobe::analysis {

namespace {

using record::AttentionShare;
using record::LabelAttention;

constexpr std::array<AttentionColumn, 4> kColumns = {{
    {"input", "Input", "a token of the prompt", &AttentionShares::input},
    {"prev_label", "Label", "a token of the answer so far", &AttentionShares::previous_labels},
    {"only_label_token", "1st label",
     "the places that predict the labels' first tokens, this step's own included (the published "
     "count)",
     &AttentionShares::predicting_tokens},
    {"label_token", "1st label, exact", "the first tokens of the labels before",
     &AttentionShares::label_tokens},
}};

// Adds up one kind of token over all steps.
class Mean {
 public:
  void add(std::span<const AttentionShare> steps) {
    for (const AttentionShare& step : steps) {
      if (step.n_positions == 0) continue;
      sum_ += static_cast<double>(step.weight) / static_cast<double>(step.n_positions);
      ++n_;
    }
  }

  std::optional<double> value() const {
    if (n_ == 0) return std::nullopt;
    return sum_ / static_cast<double>(n_);
  }

 private:
  double sum_ = 0;
  std::size_t n_ = 0;
};

}  // namespace

std::span<const AttentionColumn> attention_columns() {
  return kColumns;
}

AttentionShares mean_attention(std::span<const record::ItemRecord> items) {
  AttentionShares shares;
  Mean input;
  Mean previous;
  Mean predicting;
  Mean labels;
  for (const record::ItemRecord& item : items) {
    if (!item.label_attention || item.label_attention->input.empty()) continue;
    const LabelAttention& attention = *item.label_attention;
    ++shares.n_items;
    shares.n_steps += attention.input.size();
    input.add(attention.input);
    previous.add(attention.previous_labels);
    predicting.add(attention.predicting_tokens);
    labels.add(attention.label_tokens);
  }
  shares.input = input.value();
  shares.previous_labels = previous.value();
  shares.predicting_tokens = predicting.value();
  shares.label_tokens = labels.value();
  return shares;
}

std::string attention_text(const AttentionShares& shares) {
  const auto number = [](const std::optional<double>& share) {
    return share ? exact(*share) : std::string("nan");
  };
  return fmt::format(
      "Avg input attention: {}\nAvg label attention: {}\nAvg label token attention: {}\n",
      number(shares.input), number(shares.previous_labels), number(shares.predicting_tokens));
}

}  // namespace labelprobe::analysis
