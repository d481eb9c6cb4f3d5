// Token ids: positions in a tokenizer's vocabulary, which are rows of the model's embedding.
#pragma once

#include <cstdint>
#include <vector>

namespace labelprobe {

using TokenId = std::int32_t;
using TokenIds = std::vector<TokenId>;

}  // namespace labelprobe
