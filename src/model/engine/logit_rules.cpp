#include "model/engine/logit_rules.h"

#include <algorithm>
#include <limits>

#include <ATen/Functions.h>
#include <ATen/TensorIndexing.h>

#include "weights/device/send.h"

namespace labelprobe::model {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// Single logits of a step that are set, or added to, together.
class Places {
 public:
  void add(std::size_t row, TokenId token, float value) {
    rows_.push_back(static_cast<std::int64_t>(row));
    columns_.push_back(token);
    values_.push_back(value);
  }

  enum class How { Set, Add };
  void write(const at::Tensor& logits, How how) const {
    if (rows_.empty()) return;
    const c10::Device device = logits.device();
    at::Tensor target = logits;
    target.index_put_({weights::send(rows_, device), weights::send(columns_, device)},
                      weights::send(values_, device), how == How::Add);
  }

 private:
  std::vector<std::int64_t> rows_;
  std::vector<std::int64_t> columns_;
  std::vector<float> values_;
};

// Whether `tokens` ends in all of `sequence` but its last token.
bool precedes_last(const TokenIds& tokens, const TokenIds& sequence) {
  const std::size_t n = sequence.size() - 1;
  return n <= tokens.size() && std::equal(sequence.begin(), sequence.end() - 1,
                                          tokens.end() - static_cast<std::ptrdiff_t>(n));
}

void add_biases(const at::Tensor& logits,
                std::span<const RowContext> rows,
                const std::vector<weights::SequenceBias>& biases) {
  Places places;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    for (const weights::SequenceBias& one : biases) {
      if (precedes_last(rows[b].tokens, one.tokens)) places.add(b, one.tokens.back(), one.bias);
    }
  }
  places.write(logits, Places::How::Add);
}

// Tokens that would make an n-gram that is there already.
void ban_repeated_ngrams(const TokenIds& tokens, std::size_t n, std::size_t row, Places& banned) {
  if (n == 0 || tokens.size() + 1 < n) return;
  const auto last = tokens.end() - static_cast<std::ptrdiff_t>(n - 1);
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::equal(last, tokens.end(), begin)) banned.add(row, tokens[i + n - 1], kNever);
  }
}

void ban(const at::Tensor& logits,
         std::span<const RowContext> rows,
         const GenerateOptions& options) {
  const GenerationRules& rules = options.rules;
  const std::vector<TokenId>& ends = options.stop.end_ids;
  const auto is_end = [&](const TokenIds& word) {
    return word.size() == 1 && std::find(ends.begin(), ends.end(), word[0]) != ends.end();
  };
  Places banned;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    const TokenIds& tokens = rows[b].tokens;
    ban_repeated_ngrams(tokens, static_cast<std::size_t>(rules.no_repeat_ngram_size), b, banned);
    for (const TokenIds& word : rules.bad_words_ids) {
      if (!is_end(word) && precedes_last(tokens, word)) banned.add(b, word.back(), kNever);
    }
    const auto n_new = tokens.size() - rows[b].n_prompt_tokens;
    if (tokens.size() < static_cast<std::size_t>(rules.min_length) ||
        n_new < static_cast<std::size_t>(rules.min_new_tokens)) {
      for (const TokenId id : ends) banned.add(b, id, kNever);
    }
  }
  banned.write(logits, Places::How::Set);
}

void force(const at::Tensor& logits,
           std::span<const RowContext> rows,
           const GenerateOptions& options) {
  Places forced;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    const auto force_row = [&](const TokenIds& ids) {
      if (ids.empty()) return;
      logits.select(0, static_cast<std::int64_t>(b)).fill_(kNever);
      for (const TokenId id : ids) forced.add(b, id, 0.0F);
    };
    if (rows[b].tokens.size() == 1) force_row(options.rules.forced_bos_token_id);
    const std::size_t n_new = rows[b].tokens.size() - rows[b].n_prompt_tokens;
    if (n_new + 1 == static_cast<std::size_t>(options.stop.max_new_tokens)) {
      force_row(options.rules.forced_eos_token_id);
    }
  }
  forced.write(logits, Places::How::Set);
}

void suppress(const at::Tensor& logits,
              std::span<const RowContext> rows,
              const GenerationRules& rules) {
  Places suppressed;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    for (const TokenId id : rules.suppress_tokens) suppressed.add(b, id, kNever);
    // Behind a token that was forced to begin the text.
    const bool has_forced = rows[b].n_prompt_tokens == 1 && !rules.forced_bos_token_id.empty();
    if (rows[b].tokens.size() == rows[b].n_prompt_tokens + (has_forced ? 1 : 0)) {
      for (const TokenId id : rules.begin_suppress_tokens) suppressed.add(b, id, kNever);
    }
  }
  suppressed.write(logits, Places::How::Set);
}

}  // namespace

bool changes_nothing(const GenerationRules& rules) {
  return rules == GenerationRules();
}

void apply_rules(const at::Tensor& logits,
                 std::span<const RowContext> rows,
                 const GenerateOptions& options) {
  const GenerationRules& rules = options.rules;
  add_biases(logits, rows, rules.sequence_bias);
  if (rules.repetition_penalty != 1.0) penalize_repetition(logits, rows, rules.repetition_penalty);
  ban(logits, rows, options);
  force(logits, rows, options);
  suppress(logits, rows, rules);
}

void penalize_repetition(const at::Tensor& logits,
                         std::span<const RowContext> rows,
                         double penalty) {
  std::size_t width = 0;
  for (const RowContext& row : rows) width = std::max(width, row.tokens.size());
  std::vector<std::int64_t> padded;
  padded.reserve(rows.size() * width);
  for (const RowContext& row : rows) {
    padded.insert(padded.end(), row.tokens.begin(), row.tokens.end());
    padded.insert(padded.end(), width - row.tokens.size(), row.tokens.front());
  }
  const at::Tensor columns =
      weights::send(padded, logits.device())
          .view({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)});
  const at::Tensor before = logits.gather(1, columns);
  // A token named twice is written twice with the same number.
  logits.scatter_(1, columns, at::where(before.lt(0), before * penalty, before / penalty));
}

}  // namespace labelprobe::model
