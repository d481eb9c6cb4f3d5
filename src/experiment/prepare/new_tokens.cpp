#include "experiment/prepare/new_tokens.h"

#include <algorithm>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/template.h"

namespace labelprobe::experiment {

int tokens_of_answers(const Questions& questions,
                      const Answers& answers,
                      const tokenizer::Tokenizer& tokenizer) {
  constexpr std::size_t kAround = 4;
  if (!answers.format) {
    throw ConfigError(
        "--max-new-tokens is required: nobody knows how long a chain of thought or a list of "
        "numbers is, e.g. 200");
  }
  const LabelSet& labels = questions.answer_set;
  std::vector<std::vector<std::string>> lists;
  for (const std::string& name : labels.names()) lists.push_back({name});
  if (labels.is_multilabel()) lists.push_back(labels.names());
  std::size_t longest = 0;
  for (const std::vector<std::string>& names : lists) {
    const std::string answer =
        " " + prompt::format_labels(names, labels.kind(), questions.templates.label_format);
    longest = std::max(longest, tokenizer.encode(answer, tokenizer::SpecialTokens::Omit).size());
  }
  return static_cast<int>(longest + kAround);
}

}  // namespace labelprobe::experiment
