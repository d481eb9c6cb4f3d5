// Reads the hidden states that a run has kept of its items: `hidden_states_<i>.safetensors` of
// experiment i in the log folder, with
//   states  F32 [n_rows][n_layers][n_features]
//   item    I64 [n_rows]   whose row: an index into the ids
//   step    I64 [n_rows]   0: the last position of the prompt; t: the position that predicts the
//                          first token of label t, from 1
//   layer   I64 [n_layers] 0: the embedding; l: behind decoder layer l; -1: behind the final norm
// and in the metadata `format` and `ids`, a JSON list of the items' log keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace labelprobe::record {

struct ItemStates {
  std::vector<std::string> keys;  // of the items that have such a state, in the order of the ids
  std::int64_t n_features = 0;
  std::vector<float> numbers;  // [keys.size()][n_features]
};

// <folder>/hidden_states_<experiment>.safetensors
std::filesystem::path states_file(const std::filesystem::path& folder, int experiment);

// The states of one step at one layer. Throws DataError (file, expected, found) if the file is
// missing or of another form, or an item stands there twice; ConfigError naming the layers there
// are if `layer` is none of them.
ItemStates read_states(const std::filesystem::path& file, std::int64_t step, std::int64_t layer);

}  // namespace labelprobe::record
