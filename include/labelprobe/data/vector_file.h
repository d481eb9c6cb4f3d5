// Sentence vectors of a data set's items, made by other programs.
// Formats: safetensors (tensor `vectors` [n, d], F32 or F16; ids as a JSON list under `ids` of the
// metadata) and .npy ([n, d], float32 or float64). Ids may also stand in FILE.ids.txt, one a line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "labelprobe/core/example.h"

namespace labelprobe::data {

class VectorFile {
 public:
  // Throws DataError (file, expected, found) for a file that is not of these forms, a number that
  // is not finite, ids that are not as many as the vectors, and an id that is there twice.
  static VectorFile load(const std::filesystem::path& path);

  int n_dims() const { return n_dims_; }

  // The vectors of `examples`, [n_examples, n_dims] row by row: those of their full ids
  // ("de0__aggregate") or else of their own ids. Throws DataError saying how many have none.
  std::vector<float> vectors_of(std::span<const Example> examples) const;

 private:
  std::filesystem::path path_;
  int n_dims_ = 0;
  std::vector<float> vectors_;  // [n, n_dims]
  std::unordered_map<std::string, std::size_t> rows_;
};

}  // namespace labelprobe::data
