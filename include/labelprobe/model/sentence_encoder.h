// Turns texts into vectors whose cosines say how much the texts resemble each other: the
// BERT-style encoders of sentence-transformers (all-MiniLM-L6-v2, all-mpnet-base-v2), mean pooling.
// Knows token ids only; callers bring the tokenizer that lies beside the weights.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/token.h"

namespace labelprobe::model {

struct SentenceEncoderInfo {
  std::string architecture;  // "bert", "mpnet"
  int n_dims = 0;            // of a vector
  int max_tokens = 0;        // of a text, special tokens included
  int vocab_size = 0;
  std::string device;
  std::string fingerprint;  // of the files, as ModelInfo's
};

class SentenceEncoder {
 public:
  virtual ~SentenceEncoder() = default;

  // One vector of length 1 per text, [n_texts, n_dims] row by row, computed in float32.
  //   texts  token ids with the special tokens around them; none empty. Of a text above max_tokens
  //          the first max_tokens - 1 tokens and the last one count, as in the reference.
  // The vector of a text does not depend on the other texts beyond rounding. Throws ModelError for
  // an id outside the vocabulary and if memory runs out.
  virtual std::vector<float> encode(std::span<const TokenIds> texts) = 0;

  virtual const SentenceEncoderInfo& info() const = 0;
};

// Loads an encoder from a folder with config.json, safetensors weights and, where there are any,
// modules.json, sentence_bert_config.json and the pooling module's config.json. Throws ModelError
// (file, tensor or key, expected, found) for what is missing, broken or not supported, and
// ConfigError for a device that is not there.
//   device     as in OpenOptions
//   n_threads  CPU threads; 0 = one per physical core
std::unique_ptr<SentenceEncoder> open_sentence_encoder(const std::filesystem::path& folder,
                                                       const std::string& device,
                                                       int n_threads);

}  // namespace labelprobe::model
