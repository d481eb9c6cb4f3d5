// Prompts that share in every way, and a tiny model for them.
#pragma once

#include <filesystem>
#include <memory>
#include <random>
#include <vector>

#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"

namespace labelprobe::model {

inline const std::filesystem::path kTiny = support::fixture("model/llama_gqa_llama3_rope");
constexpr int kVocab = 128;

inline std::unique_ptr<LanguageModel> open_tiny(DType dtype = DType::Float32,
                                                Quantization quantization = Quantization::None,
                                                int n_threads = 2) {
  return open(
      kTiny,
      {.dtype = dtype, .device = "cpu", .n_threads = n_threads, .quantization = quantization});
}

inline GenerateOptions steps(int n) {
  GenerateOptions options;
  options.stop.max_new_tokens = n;
  options.keep_logits = true;
  return options;
}

inline TokenIds random_ids(std::mt19937& random, std::size_t n) {
  TokenIds ids(n);
  for (TokenId& id : ids) id = static_cast<TokenId>(random() % kVocab);
  return ids;
}

inline TokenIds joined(TokenIds a, const TokenIds& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A long common stem with leaves, a chain of prompts that begin one another, equal prompts,
// one-token prompts, a deep trie over few letters, one much longer than the rest.
inline std::vector<TokenIds> tangled_prompts() {
  std::mt19937 random(3);
  std::vector<TokenIds> prompts;
  const TokenIds stem = random_ids(random, 60);
  for (int i = 0; i < 12; ++i) {
    prompts.push_back(joined(stem, random_ids(random, 1 + random() % 9)));
  }
  prompts.push_back(joined(stem, random_ids(random, 55)));
  for (std::size_t n = 1; n <= 8; ++n) prompts.emplace_back(stem.begin(), stem.begin() + n);
  prompts.push_back(prompts[3]);
  prompts.push_back(stem);
  prompts.push_back(stem);
  for (int i = 0; i < 20; ++i) {
    TokenIds ids(3 + random() % 12);
    for (TokenId& id : ids) id = static_cast<TokenId>(5 + random() % 2);
    prompts.push_back(ids);
  }
  prompts.push_back({7});
  return prompts;
}

inline void check_equal_bits(const std::vector<Generation>& found,
                             const std::vector<Generation>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("prompt " << i);
    REQUIRE_FALSE(found[i].failure);
    CHECK(found[i].token_ids == expected[i].token_ids);
    CHECK(found[i].logits == expected[i].logits);
  }
}

}  // namespace labelprobe::model
