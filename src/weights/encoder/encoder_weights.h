// The parameters of a BERT-like encoder.
#pragma once

#include <filesystem>
#include <set>
#include <span>
#include <string>

#include <ATen/core/Tensor.h>

#include "weights/checkpoint/weight_files.h"

namespace labelprobe::weights {

// The weights by the names that a bare encoder has for them.
class EncoderWeights {
 public:
  // Leaves out what does not bear on the vectors of tokens: poolers, heads, position ids. Norms
  // that BERT's first release calls gamma and beta get the names of today.
  explicit EncoderWeights(const std::filesystem::path& folder);

  // In float32, on the CPU. Throws ModelError if it is missing or of another shape or type.
  at::Tensor take(const std::string& name, std::span<const std::int64_t> shape);

  // Throws ModelError naming a tensor that nobody took.
  void check_all_taken() const;

  // As WeightFiles has it.
  std::string fingerprint() const { return files_.fingerprint(); }

 private:
  WeightFiles files_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace labelprobe::weights
