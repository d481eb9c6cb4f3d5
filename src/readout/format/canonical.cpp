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

// The tokens of `text` behind `before`; `is_split`: one of them begins where the text does.
TokenIds CanonicalText::encoded(const std::string& before,
                                const std::string& text,
                                bool& is_split) const {
  const tokenizer::Encoding whole =
      tokenizer_.encode_with_offsets(before + text, tokenizer::SpecialTokens::Omit);
  TokenIds ids;
  is_split = false;
  for (std::size_t i = 0; i < whole.ids.size(); ++i) {
    if (whole.begins[i] < before.size()) continue;
    is_split = is_split || whole.begins[i] == before.size();
    ids.push_back(whole.ids[i]);
  }
  return ids;
}

bool CanonicalText::has(std::span<const TokenId> answer) const {
  if (answer.size() < 2) return true;
  std::string text;
  for (const TokenId id : answer) text += tokenizer_.token_bytes(id);
  if (!is_utf8(text)) return true;
  bool is_split = false;
  TokenIds ids = encoded(tail_, text, is_split);
  // The tokenizer would not have ended the prompt there: what is canonical begins anew.
  if (!is_split) ids = encoded("\n", text, is_split);
  const std::size_t n = answer.size() - 1;
  return ids.size() >= n &&
         std::equal(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(n), ids.begin());
}

}  // namespace labelprobe::readout
