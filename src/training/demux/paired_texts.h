// From label names and texts to what the encoder sees: [CLS] labels [SEP] text [SEP], and where in
// it the labels are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/core/label_set.h"
#include "labelprobe/core/token.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::training {

// The first segment, equal for all texts, and what each text needs besides it.
struct PairMaker {
  TokenIds head;  // [CLS] labels [SEP]: segment 0
  TokenIds tail;  // [SEP], behind the text
  TokenId pad = 0;
  int max_length = 0;  // of a whole sequence, in tokens
  // Per label the places in `head` of its word pieces, each the first one not taken by an earlier
  // piece. None is empty.
  std::vector<std::vector<std::int64_t>> positions;
};

// Throws ModelError for a tokenizer without padding or that does not join texts as BERT does, and
// for a label that has no piece of its own in the first segment; ConfigError if the labels leave no
// room for a text.
PairMaker make_pairs(const tokenizer::Tokenizer& tokenizer, const LabelSet& labels, int max_length);

struct PairedTexts {
  std::vector<TokenIds> tails;  // per text its tokens, cut where it is too long, and the tail
  std::size_t n_cut = 0;        // texts that lost tokens
};
PairedTexts pair_texts(const PairMaker& maker,
                       const tokenizer::Tokenizer& tokenizer,
                       std::span<const std::string> texts);

// B sequences, filled up to the longest of them, S tokens.
struct PairBatch {
  at::Tensor ids;       // [B, S], int64
  at::Tensor segments;  // [B, S], int64: 0 or 1
  at::Tensor mask;      // [B, 1, 1, S], float32: 0, or -inf where it is filled up
};
PairBatch make_batch(const PairMaker& maker,
                     const PairedTexts& texts,
                     std::span<const int> members,
                     at::Device device);

}  // namespace labelprobe::training
