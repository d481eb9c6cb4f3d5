// How a model's heads, columns and tokens are divided among processes.
#include "model/parallel/share.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "weights/making/model_shapes.h"

namespace labelprobe::model {
namespace {

std::int64_t sum(const std::vector<std::int64_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), std::int64_t{0});
}

}  // namespace

TEST_CASE("Shares follow one another and are the whole together", "[unit]") {
  const weights::DecoderConfig whole = weights::decoder_config_of("llama-3.1-70b", 0);
  for (const int n : {1, 2, 3, 5, 8, 16, 32, 64}) {
    INFO(n << " processes");
    const std::vector<Share> shares = divide_model(whole, n);
    CHECK(sum(widths_of(shares, &Share::heads)) == whole.n_heads);
    CHECK(sum(widths_of(shares, &Share::hidden)) == whole.hidden_size);
    CHECK(sum(widths_of(shares, &Share::inner)) == whole.intermediate_size);
    CHECK(sum(widths_of(shares, &Share::vocabulary)) == whole.vocab_size);
    CHECK(sum(widths_of(shares, &Share::key_heads)) == std::max(n, whole.n_kv_heads));
    for (std::size_t rank = 1; rank < shares.size(); ++rank) {
      const Share& before = shares[rank - 1];
      CHECK(shares[rank].heads.first == before.heads.first + before.heads.n);
      CHECK(shares[rank].hidden.first == before.hidden.first + before.hidden.n);
      CHECK(shares[rank].hidden.first % 64 == 0);
      CHECK(shares[rank].heads.n % shares[rank].key_heads.n == 0);
    }
  }
}

TEST_CASE("More processes than heads of keys have the same ones, and others of their queries",
          "[unit]") {
  const weights::DecoderConfig whole = weights::decoder_config_of("llama-3.1-405b", 0);
  const std::vector<Share> shares = divide_model(whole, 16);
  CHECK((shares[4].key_heads == weights::RowRange{2, 1}));
  CHECK((shares[5].key_heads == weights::RowRange{2, 1}));
  CHECK((shares[4].heads == weights::RowRange{32, 8}));
  CHECK((shares[5].heads == weights::RowRange{40, 8}));
  CHECK_FALSE(shares[4].repeats_keys);
  CHECK(shares[5].repeats_keys);
}

TEST_CASE("A number of processes that does not divide the heads is refused by name", "[unit]") {
  const weights::DecoderConfig whole = weights::decoder_config_of("llama-3.1-70b", 0);
  CHECK_THROWS_WITH(divide_model(whole, 12),
                    ContainsSubstring("8 heads of keys") && ContainsSubstring("found 12"));
  CHECK_THROWS_AS(divide_model(whole, 128), ConfigError);
}

TEST_CASE("Rows of a fused matrix are those of its three parts", "[unit]") {
  weights::DecoderConfig whole = weights::decoder_config_of("llama-3.1-8b", 0);
  for (const weights::Family& family : weights::families()) {
    if (family.name == "Phi-3") whole.family = &family;
  }
  const Share share = divide_model(whole, 2)[1];
  const auto qkv = weights::weight_of(whole, weights::Role::QueryKeyValue);
  const weights::RowRanges expected = {{2048, 2048}, {4096 + 512, 512}, {4096 + 1024 + 512, 512}};
  CHECK((rows_of(whole, share, qkv) == expected));
  const auto gate_up = weights::weight_of(whole, weights::Role::GateUp);
  const weights::RowRanges both = {{7168, 7168}, {14336 + 7168, 7168}};
  CHECK((rows_of(whole, share, gate_up) == both));
  CHECK(rows_of(whole, share, weights::weight_of(whole, weights::Role::InputNorm)).empty());
}

}  // namespace labelprobe::model
