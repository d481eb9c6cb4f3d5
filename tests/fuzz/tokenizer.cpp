#include "fuzz/tokenizer.h"

#include <algorithm>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "fuzz/input.h"

namespace labelprobe::fuzz {

void question(const tokenizer::Tokenizer& tokenizer, std::string_view text) {
  if (!is_utf8(text)) text = kText;
  for (const auto special : {tokenizer::SpecialTokens::Add, tokenizer::SpecialTokens::Omit}) {
    const tokenizer::Encoding encoding = tokenizer.encode_with_offsets(text, special);
    const std::size_t n = encoding.ids.size();
    LABELPROBE_CHECK(encoding.begins.size() == n && encoding.ends.size() == n);
    for (std::size_t i = 0; i < n; ++i) {
      LABELPROBE_CHECK(encoding.begins[i] <= encoding.ends[i] && encoding.ends[i] <= text.size());
      LABELPROBE_CHECK(encoding.ids[i] >= 0 && encoding.ids[i] < tokenizer.vocab_size());
    }
    LABELPROBE_CHECK(tokenizer.encode(text, special) == encoding.ids);
    LABELPROBE_CHECK(is_utf8(tokenizer.decode(encoding.ids)));
  }
  TokenIds all;
  for (TokenId id = 0; id < std::min(tokenizer.vocab_size(), 300); ++id) {
    keep(tokenizer.token_bytes(id).size());
    all.push_back(id);
  }
  LABELPROBE_CHECK(is_utf8(tokenizer.decode(all)));
  tokenizer.special_id("<s>");
  tokenizer.bos_id();
  tokenizer.eos_id();
  tokenizer.pad_id();
  tokenizer.pair_frame();
}

}  // namespace labelprobe::fuzz
