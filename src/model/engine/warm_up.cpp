#include "model/engine/warm_up.h"

#include <algorithm>
#include <cstdlib>

namespace labelprobe::model {
namespace {

constexpr int kTokens = 1024;
constexpr int kPrompts = 64;
constexpr int kSteps = 8;

int n_tokens_asked() {
  const char* wish = std::getenv("LABELPROBE_WARM_UP");
  return wish == nullptr ? kTokens : std::clamp(std::atoi(wish), 0, kTokens);
}

}  // namespace

WarmUp make_warm_up(const ModelInfo& info) {
  WarmUp call;
  const int n_asked = n_tokens_asked();
  if (n_asked == 0) return call;
  const int n_common = std::clamp(info.max_context - kSteps, 1, n_asked);
  for (int i = 0; i < std::min(kPrompts, n_asked); ++i) {
    call.prompts.emplace_back(static_cast<std::size_t>(n_common), 0);
    call.prompts.back().back() = static_cast<TokenId>(i % info.vocab_size);
  }
  call.options.stop.max_new_tokens = kSteps;
  return call;
}

}  // namespace labelprobe::model
