// What a model makes of the tokens of the prompts themselves, read from the packs of a prefix tree
// as they are computed.
//   C  hidden size
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/model/explorer.h"

#include "model/decoder/decoder.h"
#include "model/engine/prefix_tree.h"

namespace labelprobe::model {

class PromptReader {
 public:
  // Both must outlive it.
  PromptReader(const Decoder& decoder, const PrefixTree& tree);

  // Hidden states [n_rows, C] of all rows of a pack.
  void read(const PackedNodes& pack, const at::Tensor& hidden);

  // Those after the first token of a sequence's prompt, whose nodes have all been read.
  std::vector<PromptToken> tokens(const PrefixSequence& sequence) const;

 private:
  struct Node {
    std::vector<float> log_sum_exps;     // [n_tokens], behind each of its tokens
    std::vector<float> logits;           // [n_tokens - 1], of its tokens after the first
    std::map<TokenId, float> next_ones;  // logits of the first tokens of the nodes behind it
  };
  struct Wanted {
    std::int64_t row = 0;
    TokenId token = 0;
    float* logit = nullptr;
  };
  std::vector<Wanted> wanted_of(const PackedNodes& pack);

  const Decoder& decoder_;
  const PrefixTree& tree_;
  std::vector<Node> nodes_;
  std::vector<std::vector<TokenId>> first_tokens_;  // by node, of the nodes behind it
};

}  // namespace labelprobe::model
