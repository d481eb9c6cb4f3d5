// How far a rotary embedding turns, in every kind of scaling: numbers and their order of operations
// as in transformers' modeling_rope_utils.py.
#pragma once

#include <cstdint>
#include <vector>

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// Position p turns the pair (i, i + n / 2) of a head's first n numbers by p * frequencies[i]
// radians.
struct RopeTurns {
  std::vector<float> frequencies;  // [n_rotated() / 2], float32 throughout
  double factor = 1.0;             // of the cosines and sines
};

// Some embeddings turn a text that is longer than the model's first texts by other frequencies,
// from its first token on.
enum class TextLength { Original, Beyond };

// The most positions of a text of the original length; 0 where all texts are turned alike.
std::int64_t original_length(const DecoderConfig& config);

// Texts that are longer than max_position_embeddings are nobody's business: dynamic scaling, which
// begins there, is none.
RopeTurns rope_turns(const DecoderConfig& config,
                     const Rope& rope,
                     TextLength length = TextLength::Original);

}  // namespace labelprobe::weights
