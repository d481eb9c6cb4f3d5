// Compares a tokenizer with a fixture of scripts/fixtures/tokenizer_reference.py.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "labelprobe/tokenizer/tokenizer.h"

#include "support/catch.h"
#include "support/paths.h"
#include "tokenizer/random_texts.h"

namespace labelprobe::tokenizer {

enum class Offsets { Compare, Ignore };

inline nlohmann::json read_fixture(const std::string& name) {
  std::ifstream file(support::fixture("tokenizer/" + name));
  return nlohmann::json::parse(file);
}

// The reference gives a token of a part of a character the whole character.
inline std::vector<std::size_t> whole_characters(const std::string& text,
                                                 const std::vector<std::size_t>& bounds,
                                                 int step) {
  std::vector<std::size_t> whole = bounds;
  for (std::size_t& at : whole) {
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) {
      at = step < 0 ? at - 1 : at + 1;
    }
  }
  return whole;
}

inline void check_case(const Tokenizer& tokenizer,
                       const nlohmann::json& expected,
                       Offsets offsets) {
  const auto text = expected.at("text").get<std::string>();
  INFO("text " << expected.at("text").dump(-1, ' ', true));
  const Encoding encoding = tokenizer.encode_with_offsets(text, SpecialTokens::Add);
  CHECK(encoding.ids == expected.at("ids").get<TokenIds>());
  CHECK(tokenizer.encode(text, SpecialTokens::Add) == encoding.ids);
  const auto decoded = expected.value("decoded", nlohmann::json(text));
  if (!decoded.is_null()) {
    CHECK(tokenizer.decode(encoding.ids) == decoded.get<std::string>());
  }
  if (offsets == Offsets::Compare && expected.contains("ends")) {
    const auto ends = expected.at("ends").get<std::vector<std::size_t>>();
    std::vector<std::size_t> begins(ends.size(), 0);
    std::copy(ends.begin(), ends.empty() ? ends.end() : ends.end() - 1,
              begins.begin() + !ends.empty());
    if (expected.contains("begins")) {
      begins = expected.at("begins").get<std::vector<std::size_t>>();
    }
    CHECK(whole_characters(text, encoding.begins, -1) == begins);
    CHECK(whole_characters(text, encoding.ends, +1) == ends);
  }
}

inline void check_random_texts(const Tokenizer& tokenizer, const nlohmann::json& expected) {
  const auto seed = expected.at("seed").get<std::uint64_t>();
  const auto n = expected.at("n").get<std::size_t>();
  const auto n_block = expected.at("block").get<std::size_t>();
  const auto hashes = expected.at("hashes").get<std::string>();
  REQUIRE(hashes.size() == n / n_block * 8);
  const TokenId separator = -1;
  std::size_t n_wrong = 0;
  std::string first_wrong;
  for (std::size_t block = 0; block < n / n_block; ++block) {
    std::uint32_t hash = 0x811C9DC5u;
    std::string texts;
    for (std::size_t i = block * n_block; i < (block + 1) * n_block; ++i) {
      const std::string text = random_text(seed + i);
      hash = fnv(tokenizer.encode(text, SpecialTokens::Add), hash);
      hash = fnv({&separator, 1}, hash);
      texts += nlohmann::json(text).dump(-1, ' ', true) + "\n";
    }
    char hex[9];
    std::snprintf(hex, sizeof hex, "%08x", hash);
    if (hashes.compare(block * 8, 8, hex) != 0) {
      first_wrong = n_wrong++ == 0 ? texts : first_wrong;
    }
  }
  INFO("the first group of texts with other ids:\n" << first_wrong);
  CHECK(n_wrong == 0);
}

inline void check_reference(const Tokenizer& tokenizer,
                            const nlohmann::json& expected,
                            Offsets offsets = Offsets::Compare) {
  for (const auto& each : expected.at("cases")) {
    check_case(tokenizer, each, offsets);
  }
  check_random_texts(tokenizer, expected.at("random"));
}

}  // namespace labelprobe::tokenizer
