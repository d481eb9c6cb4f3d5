// Tokens that are found in the text itself, before anything is split: special tokens such as
// "<|endoftext|>", and words added to a vocabulary after its training.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "labelprobe/core/token.h"

#include "tokenizer/text/aligned_text.h"

namespace labelprobe::tokenizer {

// The fields have the meaning and the names they have in tokenizer.json.
struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
  bool special = false;
};

// A stretch of text; one that is an added token has its id.
struct Segment {
  Range range;
  std::optional<TokenId> id;
};

// Finds the words of one list, the leftmost first and of those the longest.
class AddedTokenFinder {
 public:
  // A word to look for and the token it stands for; tokens with an empty word are never found.
  void add(std::string_view word, const AddedToken& token);

  // The whole text as segments in order, none empty.
  std::vector<Segment> split(std::string_view text) const;

 private:
  struct Match {
    Range range;
    int token = -1;
  };

  Match longest_at(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> tokens_;
  std::array<bool, 256> begins_{};                          // by first byte
  std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // node << 8 | byte, to node
  std::vector<int> token_of_node_ = {-1};
};

}  // namespace labelprobe::tokenizer
