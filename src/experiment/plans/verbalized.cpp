// The plan that asks for a number per label: how likely each one is, from 0 to 100, in one answer
// per example. Two readings: the number that is written ("reported"), and, where numbers are tokens
// of the tokenizer, the mean over all of them by their probabilities ("expected"). A number that
// cannot be read is missing, never 0.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/python/text.h"
#include "labelprobe/readout/reading.h"

#include "experiment/plans/plan_parts.h"

namespace labelprobe::experiment {

namespace {

constexpr int kMost = 100;  // the number of certainty
constexpr std::string_view kMultiLabelInstruction =
    "Say of each of the following labels how likely it is that the label is right for the "
    "question: {labels}. One, several or none of them may be right. Output every label with a "
    "colon and a whole number from 0 (certainly wrong) to 100 (certainly right), separated by "
    "commas, and nothing else.\n\n";
constexpr std::string_view kSingleLabelInstruction =
    "Say of each of the following labels how likely it is that the label is right for the "
    "question: {labels}. Exactly one of them is right. Output every label with a colon and a whole "
    "number from 0 (certainly wrong) to 100 (certainly right), separated by commas, and nothing "
    "else.\n\n";
constexpr std::string_view kQuestion = "Question: {text}\nProbabilities:";
constexpr std::string_view kDemonstration = "Question: {text}\nProbabilities: {label}\n\n";

prompt::Templates own_templates(const Settings&, const LabelSet& label_set) {
  prompt::TemplateOptions options;
  options.system = " ";  // none
  options.instruction =
      label_set.is_multilabel() ? kMultiLabelInstruction : kSingleLabelInstruction;
  options.incontext = kDemonstration;
  options.user = kQuestion;
  options.assistant = "{label}";
  return prompt::Templates::resolve(options, label_set);
}

// "joy: 85, fear:" up to the first label without a number; of all labels if each has one.
std::string write_answer(const std::vector<std::string>& names,
                         const std::vector<std::optional<std::string>>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : ", ") + names[i] + ":";
    if (!numbers[i]) break;
    text += " " + *numbers[i];
  }
  return text;
}

std::string write_same(const std::vector<std::string>& names, int number) {
  return write_answer(names, std::vector(names.size(), std::optional(std::to_string(number))));
}

// Demonstrations are sure of the labels they are shown with.
std::vector<prompt::Query> make_queries(const prompt::Task& task) {
  return prompt::make_completions(task, [&](const Labels& labels) {
    std::vector<std::optional<std::string>> numbers;
    for (LabelIndex label = 0; label < task.label_set.size(); ++label) {
      const bool is_right = std::find(labels.begin(), labels.end(), label) != labels.end();
      numbers.emplace_back(std::to_string(is_right ? kMost : 0));
    }
    return write_answer(task.label_set.names(), numbers);
  });
}

// A number as an answer has it.
struct Written {
  std::string digits;     // empty: the label has no number
  std::size_t begin = 0;  // of the digits, in bytes of the answer
  std::size_t end = 0;
  std::optional<double> prob = {};  // unset: not a number from 0 to 100
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Bytes beyond ASCII count as letters: a word of another script goes on with them.
bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

// A fraction of up to 1 may be meant out of 1 or out of 100, and says nothing therefore.
std::optional<double> prob_of(const std::string& digits) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool has_point = digits.find('.') != std::string::npos;
  const bool is_ambiguous = has_point && number > 0.0 && number <= 1.0;
  if (error != std::errc() || number > kMost || is_ambiguous) return std::nullopt;
  return number / kMost;
}

// The number that stands behind a label's name: a colon or an equals sign between them, whatever
// quotes, stars and spaces there are.
Written number_behind(std::string_view text, std::size_t at) {
  constexpr std::string_view kAround = " \t\"'*`";
  at = std::min(text.find_first_not_of(kAround, at), text.size());
  if (at == text.size() || (text[at] != ':' && text[at] != '=')) return {};
  Written written;
  written.begin = std::min(text.find_first_not_of(kAround, at + 1), text.size());
  written.end = written.begin;
  while (written.end < text.size() && is_digit(text[written.end])) ++written.end;
  const bool has_fraction = written.end > written.begin && written.end + 1 < text.size() &&
                            text[written.end] == '.' && is_digit(text[written.end + 1]);
  if (has_fraction) ++written.end;
  while (has_fraction && written.end < text.size() && is_digit(text[written.end])) ++written.end;
  written.digits = text.substr(written.begin, written.end - written.begin);
  if (!written.digits.empty()) written.prob = prob_of(written.digits);
  return written;
}

// The first number of every label, [names.size()]. Names are taken in any case and as whole words;
// of those that begin at a place the longest counts.
std::vector<Written> find_numbers(std::string_view answer, const std::vector<std::string>& names) {
  const std::string lower = ascii_lower(answer);
  std::vector<Written> found(names.size());
  for (std::size_t at = 0; at < lower.size();) {
    std::size_t best = names.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::size_t end = at + names[i].size();
      const bool is_word = (at == 0 || !is_word_byte(lower[at - 1])) &&
                           (end >= lower.size() || !is_word_byte(lower[end]));
      if (is_word && lower.compare(at, names[i].size(), names[i]) == 0 &&
          (best == names.size() || names[i].size() > names[best].size())) {
        best = i;
      }
    }
    if (best == names.size()) {
      ++at;
      continue;
    }
    at += names[best].size();
    const Written written = number_behind(answer, at);
    if (!written.digits.empty() && found[best].digits.empty()) found[best] = written;
  }
  return found;
}

// The tokens of the numbers from 0 to 100 behind a label; none if some number is not one token.
TokenIds find_number_tokens(const tokenizer::Tokenizer& tokenizer, const std::string& name) {
  TokenIds ids;
  for (int number = 0; number <= kMost; ++number) {
    const std::string before = name + ": ";
    const std::string digits = std::to_string(number);
    const tokenizer::Encoding encoding =
        tokenizer.encode_with_offsets(before + digits + ",", tokenizer::SpecialTokens::Omit);
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
      const bool begins =
          encoding.begins[i] == before.size() || encoding.begins[i] + 1 == before.size();
      if (begins && encoding.ends[i] == before.size() + digits.size()) {
        ids.push_back(encoding.ids[i]);
      }
    }
  }
  const bool is_complete = ids.size() == static_cast<std::size_t>(kMost + 1);
  return is_complete ? ids : TokenIds();
}

// The bytes of generated tokens, and where each token's begin.
struct Generated {
  std::string text;
  std::vector<std::size_t> begins;
};

Generated text_of(std::span<const TokenId> token_ids, const tokenizer::Tokenizer& tokenizer) {
  Generated generated;
  for (const TokenId id : token_ids) {
    generated.begins.push_back(generated.text.size());
    generated.text += tokenizer.token_bytes(id);
  }
  return generated;
}

class NumberReader {
 public:
  explicit NumberReader(const AnswerTask& task)
      : label_set_(task.questions.label_set),
        rule_{LabelFormat{},
              task.chat ? "" : std::string(python::strip(task.questions.templates.before_text()))},
        lead_(task.chat ? "" : " "),
        tokenizer_(task.tokenizer),
        number_tokens_(find_number_tokens(task.tokenizer, label_set_.names().front())) {}

  const TokenIds& number_tokens() const { return number_tokens_; }
  const std::string& stop() const { return rule_.stop; }

  // Length of an answer with the longest number for every label, and what shows that it has ended.
  int n_tokens() const {
    return static_cast<int>(encode(lead_ + write_same(label_set_.names(), kMost) + ",").size());
  }

  // Whether every label has a number to which nothing can be added any more.
  bool is_complete(std::span<const TokenId> generated) const {
    const std::string text = text_of(generated, tokenizer_).text;
    const std::vector<Written> numbers = find_numbers(text, label_set_.names());
    return std::all_of(numbers.begin(), numbers.end(), [&](const Written& number) {
      const bool may_go_on =
          number.end == text.size() || (text[number.end] == '.' && number.end + 1 == text.size());
      return !number.digits.empty() && !may_go_on;
    });
  }

  // The next label and its colon, if what is generated has the form asked for.
  TokenIds draft(std::span<const TokenId> generated) const {
    std::vector<std::optional<std::string>> digits;
    for (Written& number : find_numbers(text_of(generated, tokenizer_).text, label_set_.names())) {
      digits.push_back(number.digits.empty() ? std::nullopt
                                             : std::optional(std::move(number.digits)));
    }
    const TokenIds likely = encode(lead_ + write_answer(label_set_.names(), digits));
    const bool is_as_asked = likely.size() > generated.size() &&
                             std::equal(generated.begin(), generated.end(), likely.begin());
    return is_as_asked ? TokenIds(likely.begin() + static_cast<std::ptrdiff_t>(generated.size()),
                                  likely.end())
                       : TokenIds();
  }

  void read(const model::Generation& generation, record::ItemRecord& item) const {
    if (generation.failure) {
      item.failure = generation.failure;
      return;
    }
    const readout::Answer answer =
        readout::split_answer(tokenizer_.decode(generation.token_ids), rule_);
    item.outs = answer.outs;
    item.residual_outs = answer.residual_outs;
    const std::size_t n_answer =
        readout::count_answer_tokens(generation.token_ids, rule_.stop, tokenizer_);
    item.outs_ids.assign(generation.token_ids.begin(),
                         generation.token_ids.begin() + static_cast<std::ptrdiff_t>(n_answer));
    read_numbers(generation, item);
    if (!generation.steps.empty()) {
      for (const model::TopToken& top : generation.steps.front().top_tokens) {
        item.opening_tokens.push_back({tokenizer_.decode(std::span(&top.id, 1)), top.logit});
      }
    }
    item.predictions = predictions(item.reported_probs);
  }

 private:
  TokenIds encode(const std::string& text) const {
    return tokenizer_.encode(text, tokenizer::SpecialTokens::Omit);
  }

  void read_numbers(const model::Generation& generation, record::ItemRecord& item) const {
    const Generated generated = text_of(item.outs_ids, tokenizer_);
    // What has not come to its own end may have been cut off within a number.
    const bool is_cut = item.outs_ids.size() == generation.token_ids.size() &&
                        !generated.begins.empty() &&
                        generated.begins.back() < generated.text.size();
    const std::vector<Written> numbers = find_numbers(generated.text, label_set_.names());
    for (std::size_t label = 0; label < numbers.size(); ++label) {
      const Written& number = numbers[label];
      if (!number.prob || (is_cut && number.end == generated.text.size())) continue;
      const std::string& name = label_set_.names()[label];
      item.reported_probs.emplace_back(name, static_cast<float>(*number.prob));
      const auto after =
          std::upper_bound(generated.begins.begin(), generated.begins.end(), number.begin);
      const auto step = static_cast<std::size_t>(after - generated.begins.begin()) - 1;
      read_expected(generation, step, name, item);
    }
  }

  // The mean over all numbers where one of their tokens was generated.
  void read_expected(const model::Generation& generation,
                     std::size_t step,
                     const std::string& name,
                     record::ItemRecord& item) const {
    if (std::find(number_tokens_.begin(), number_tokens_.end(), generation.token_ids[step]) ==
        number_tokens_.end()) {
      return;
    }
    const model::Step& logits = generation.steps[step];
    double mass = 0.0;
    double sum = 0.0;
    for (std::size_t number = 0; number < number_tokens_.size(); ++number) {
      const double prob =
          std::exp(double{logits.watched_logits[number]} - double{logits.log_sum_exp});
      mass += prob;
      sum += static_cast<double>(number) * prob;
    }
    item.expected_probs.emplace_back(name, static_cast<float>(sum / mass / kMost));
    item.number_mass.emplace_back(name, static_cast<float>(mass));
  }

  // More likely than not; of a single-label set the likeliest.
  std::vector<std::string> predictions(const record::LabelValues& reported) const {
    std::vector<std::string> names;
    float most = label_set_.is_multilabel() ? 0.5F : -1.0F;
    for (const auto& [name, prob] : reported) {
      if (prob <= most) continue;
      if (!label_set_.is_multilabel()) {
        most = prob;
        names.clear();
      }
      names.push_back(name);
    }
    return names;
  }

  LabelSet label_set_;
  readout::AnswerRule rule_;
  std::string lead_;  // what a completion begins with
  const tokenizer::Tokenizer& tokenizer_;
  TokenIds number_tokens_;  // [kMost + 1], or none where a number is several tokens
};

Answers number_answers(const AnswerTask& task) {
  const auto reader = std::make_shared<const NumberReader>(task);
  const int n_labels = task.questions.label_set.size();
  if (task.settings.max_new_tokens < reader->n_tokens()) {
    const int given = task.settings.max_new_tokens;
    throw ConfigError(fmt::format(
        "--max-new-tokens: expected at least {} for the {} labels, as an answer with a number for "
        "each takes up to {} tokens of this model; found {}",
        reader->n_tokens(), n_labels, reader->n_tokens(),
        given == 0 ? "none" : fmt::to_string(given)));
  }
  return {
      .watched = reader->number_tokens(),
      .is_complete =
          [reader, has_stop = readout::stop_predicate(task.tokenizer, reader->stop())](
              std::span<const TokenId> generated) {
            return has_stop(generated) || reader->is_complete(generated);
          },
      .draft = [reader](std::span<const TokenId> generated) { return reader->draft(generated); },
      .read = [reader](const model::Generation& generation, const model::Generation*,
                       record::ItemRecord& item) { reader->read(generation, item); },
      .stop = reader->stop(),
      .description = reader->number_tokens().empty()
                         ? "numbers from 0 to 100 are not one token each: there will be no "
                           "expected values\n"
                         : "numbers from 0 to 100 are one token each: expected values are read "
                           "too\n"};
}

}  // namespace

extern constinit const Plan kVerbalized = {
    .name = "verbalized",
    .summary = "one prompt per example: how likely is each label, as a number from 0 to 100?",
    .make_queries = make_queries,
    .make_templates = own_templates,
    .has_own_templates = true,
    .can_chat = true,
    .make_answers = number_answers,
    .when_missing = "state no number: nothing of them stands in test_stated",
    .right_answer = gold_labels,
    .metrics = analysis::classification_metrics,
};

}  // namespace labelprobe::experiment
