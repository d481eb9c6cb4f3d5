// What the files of a BERT-like encoder say about it.
#pragma once

#include <filesystem>

namespace labelprobe::weights {

// The comments give config.json's names.
struct EncoderConfig {
  enum class Kind { Bert, Mpnet };

  Kind kind = Kind::Bert;  // model_type
  int hidden_size = 0;
  int intermediate_size = 0;
  int n_layers = 0;  // num_hidden_layers
  int n_heads = 0;   // num_attention_heads; divides hidden_size
  int vocab_size = 0;
  int n_positions = 0;      // max_position_embeddings
  int n_token_types = 0;    // type_vocab_size; Bert only
  int n_buckets = 0;        // relative_attention_num_buckets; Mpnet only
  int pad_id = 0;           // pad_token_id
  double norm_eps = 1e-12;  // layer_norm_eps
  // What positions allow; of a sentence encoder at most max_seq_length of
  // sentence_bert_config.json.
  int max_tokens = 0;
};

// Throws ModelError for files that are missing, malformed or describe another kind of encoder.
EncoderConfig load_encoder_config(const std::filesystem::path& folder);

// The same for an encoder of sentence-transformers, whose further files have to ask for mean
// pooling.
EncoderConfig load_sentence_encoder_config(const std::filesystem::path& folder);

}  // namespace labelprobe::weights
