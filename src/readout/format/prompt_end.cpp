#include "readout/format/prompt_end.h"

#include <algorithm>

namespace labelprobe::readout {

namespace {

constexpr std::size_t kFewestKept = 2;

// Whether a line break stands before other text.
bool has_line(const std::string& text) {
  const std::size_t last = text.find_last_not_of("\r\n");
  return last != std::string::npos && text.find('\n') < last;
}

}  // namespace

PromptEnd find_end(const tokenizer::Tokenizer& tokenizer,
                   std::span<const TokenId> prompt_ids,
                   int n_tokens) {
  PromptEnd end{prompt_ids.size(), {}};
  const int most = n_tokens > 0 ? std::min(n_tokens, kMostOpenTokens) : kMostOpenTokens;
  for (int n = 0; n < most && end.n_kept > kFewestKept; ++n) {
    const std::string bytes = tokenizer.token_bytes(prompt_ids[end.n_kept - 1]);
    if (bytes.empty()) break;
    end.text.insert(0, bytes);
    --end.n_kept;
    if (n_tokens == 0 && has_line(end.text)) break;
  }
  return end;
}

}  // namespace labelprobe::readout
