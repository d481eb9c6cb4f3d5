// All tokens of a vocabulary by their bytes, as a trie.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

class VocabTrie {
 public:
  static constexpr int kRoot = 0;
  static constexpr int kNone = -1;

  // Tokens without bytes (special ones) and those of `left_out` are not in it.
  VocabTrie(const tokenizer::Tokenizer& tokenizer, std::span<const TokenId> left_out);

  struct Node {
    unsigned char byte = 0;   // the last one of the bytes so far
    int first_child = kNone;  // ascending by byte
    int next_sibling = kNone;
    // The part of tokens() whose bytes begin with these; the first n_here of them have no more.
    std::int32_t begin = 0;
    std::int32_t end = 0;
    std::int32_t n_here = 0;
  };
  const Node& node(int id) const { return nodes_[static_cast<std::size_t>(id)]; }

  // kNone where no token goes on so.
  int child(int id, unsigned char byte) const;

  // By bytes, tokens of equal bytes by id.
  const TokenIds& tokens() const { return tokens_; }

 private:
  std::vector<Node> nodes_;
  TokenIds tokens_;
};

}  // namespace labelprobe::readout
