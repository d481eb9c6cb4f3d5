#include "readout/format/prompt_end.h"

#include <algorithm>

namespace labelprobe::readout {

namespace {

constexpr std::size_t kFewestKept = 2;

}  // namespace

PromptEnd find_end(const tokenizer::Tokenizer& tokenizer,
                   std::span<const TokenId> prompt_ids,
                   int n_tokens) {
  PromptEnd end{prompt_ids.size(), {}};
  for (int n = 0; n < std::min(n_tokens, kMostOpenTokens) && end.n_kept > kFewestKept; ++n) {
    const std::string bytes = tokenizer.token_bytes(prompt_ids[end.n_kept - 1]);
    if (bytes.empty()) break;
    end.text.insert(0, bytes);
    --end.n_kept;
  }
  return end;
}

}  // namespace labelprobe::readout
