// Readouts of the greedy answer's text: the published estimators at a fixed place.
// Source: Praharaj & Kasundra 2025 (arXiv 2511.22312), as methods beyond the paper's four, sections
// 4.1 and 4.2, give their definitions.

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "labelprobe/python/text.h"

#include "readout/answers/readout_rows.h"

namespace labelprobe::readout {

namespace {

// What a token completes: the text ends with it, whatever stands before.
struct Completed {
  std::vector<LabelIndex> labels;
  bool is_verdict = false;
  bool is_empty = false;  // the whole text is an empty answer
};

Completed completed_by(const AnswerFormat& format, std::string_view text) {
  Completed completed;
  for (std::size_t label = 0; label < format.labels.size(); ++label) {
    const std::vector<std::string>& spellings = format.labels[label].spellings;
    if (std::any_of(spellings.begin(), spellings.end(),
                    [&](const std::string& spelling) { return text.ends_with(spelling); })) {
      completed.labels.push_back(static_cast<LabelIndex>(label));
    }
  }
  completed.is_verdict = !format.verdict.empty() && text.ends_with(format.verdict);
  completed.is_empty = std::any_of(
      format.empties.begin(), format.empties.end(),
      [&](const std::string& empty) { return python::strip(text) == python::strip(empty); });
  return completed;
}

enum class Factors { Own, Completing, All };

class TextWalk final : public Inquiry {
 public:
  TextWalk(const InquiryInput& input, Factors factors) : input_(input), factors_(factors) {}

  bool advance() override { return input_.asker.greedy().is_done(); }

  void fill(record::ReadoutValues& values) const override {
    const AnswerTree& tree = input_.asker.tree();
    const AnswerFormat& format = tree.format();
    const GreedyPath& greedy = input_.asker.greedy();
    std::vector<double> probs(format.labels.size());
    double empty = 0.0;
    double product = 1.0;
    std::string text;
    for (std::size_t t = 0; t < greedy.tokens().size(); ++t) {
      const double prob = tree.node(greedy.nodes()[t]).greedy_prob;
      const TokenId token = greedy.tokens()[t];
      if (factors_ == Factors::All) product *= prob;
      const std::string bytes =
          tree.automaton().is_end(token) ? "" : tree.tokenizer().token_bytes(token);
      if (bytes.empty()) continue;  // the text ends as it did
      text += bytes;
      const Completed completed = completed_by(format, text);
      const bool is_any = !completed.labels.empty() || completed.is_verdict || completed.is_empty;
      if (factors_ == Factors::Completing && is_any) product *= prob;
      const double value = factors_ == Factors::Own ? prob : product;
      for (const LabelIndex label : completed.labels) {
        probs[static_cast<std::size_t>(label)] = value;
      }
      if (completed.is_empty) empty = value;
    }
    values.probs = with_names(format, probs);
    values.empty = empty;
    values.params = common_params(format, input_.options);
    if (factors_ != Factors::Own) {
      values.params += fmt::format(", include_all_tokens {}", input_.options.include_all_tokens);
    }
  }

 private:
  InquiryInput input_;
  Factors factors_;
};

}  // namespace

InquiryPtr make_token_probability(const InquiryInput& input) {
  return std::make_unique<TextWalk>(input, Factors::Own);
}

InquiryPtr make_marginal_fixed(const InquiryInput& input) {
  return std::make_unique<TextWalk>(
      input, input.options.include_all_tokens ? Factors::All : Factors::Completing);
}

}  // namespace labelprobe::readout
