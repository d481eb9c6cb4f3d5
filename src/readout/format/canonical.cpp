#include "readout/format/canonical.h"

#include <algorithm>

#include "labelprobe/core/utf8.h"

namespace labelprobe::readout {

namespace {

// Enough for every tokenizer's idea of a word.
constexpr std::size_t kTailTokens = 8;

// The end of a prompt; a line break where it ends inside a character.
std::string tail_of(const tokenizer::Tokenizer& tokenizer, std::span<const TokenId> prompt_ids) {
  std::string tail;
  const std::size_t n = std::min(prompt_ids.size(), kTailTokens);
  for (const TokenId id : prompt_ids.last(n)) tail.append(tokenizer.token_bytes(id));
  return is_utf8(tail) ? tail : std::string(1, '\n');
}

}  // namespace

CanonicalText::CanonicalText(const tokenizer::Tokenizer& tokenizer,
                             std::span<const TokenId> prompt_ids)
    : tokenizer_(tokenizer), tail_(tail_of(tokenizer, prompt_ids)) {}

TokenIds CanonicalText::tokens_of_answer(const std::string& text) const {
  for (const std::string& before : {tail_, std::string("\n")}) {
    const tokenizer::Encoding whole =
        tokenizer_.encode_with_offsets(before + text, tokenizer::SpecialTokens::Omit);
    const auto first = std::lower_bound(whole.begins.begin(), whole.begins.end(), before.size());
    if (first == whole.begins.end() || *first != before.size()) continue;
    return {whole.ids.begin() + (first - whole.begins.begin()), whole.ids.end()};
  }
  return tokenizer_.encode(text, tokenizer::SpecialTokens::Omit);
}

bool CanonicalText::has(std::span<const TokenId> answer, bool goes_on) const {
  if (answer.size() < 2) return true;
  std::string text;
  for (const TokenId id : answer) text.append(tokenizer_.token_bytes(id));
  if (!is_utf8(text)) return true;
  const TokenIds ids = tokens_of_answer(text);
  const std::size_t n_settled =
      goes_on ? text.find_last_not_of(" \t\n\r") + 1 : text.size();  // bytes
  std::ptrdiff_t n = 0;
  for (std::size_t end = 0; n + 1 < std::ssize(answer); ++n) {
    end += tokenizer_.token_bytes(answer[static_cast<std::size_t>(n)]).size();
    if (end > n_settled) break;
  }
  return std::ssize(ids) >= n && std::equal(answer.begin(), answer.begin() + n, ids.begin());
}

TokenIds CanonicalText::tokens_of(const std::string& before, const std::string& text) const {
  const tokenizer::Encoding whole =
      tokenizer_.encode_with_offsets(tail_ + before + text, tokenizer::SpecialTokens::Omit);
  TokenIds ids;
  for (std::size_t i = 0; i < whole.ids.size(); ++i) {
    if (whole.ends[i] > tail_.size() + before.size()) ids.push_back(whole.ids[i]);
  }
  return ids;
}

}  // namespace labelprobe::readout
