// What an interrupted training goes on from: one safetensors file, replaced as a whole, so that the
// former one stands until the new one is complete. The best weights so far lie beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "training/optimizer/tensor_file.h"

namespace labelprobe::training {

struct Evaluation {
  std::int64_t step = 0;
  std::map<std::string, double> metrics;  // of the dev role
  at::Tensor logits;                      // [n_dev, n_labels], float32, on the CPU
};

// Where a training stands after `step` steps.
struct TrainingState {
  std::int64_t step = 0;
  std::vector<double> losses;  // [step]
  std::vector<double> norms;   // [step], of the gradients
  std::vector<Evaluation> evaluations;
  std::optional<std::size_t> best;  // of them
};

class CheckpointFolder {
 public:
  //   contents  a fingerprint: checkpoints of other contents are passed over
  CheckpointFolder(std::filesystem::path folder, std::string contents);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path checkpoint_file() const { return folder_ / "checkpoint.safetensors"; }

  struct Loaded {
    TrainingState state;
    NamedTensors weights;
    NamedTensors optimizer;
  };
  // nullopt: there is none of these contents. Throws DataError for a damaged one.
  std::optional<Loaded> load() const;

  // Throws ConfigError if the disk is full; the former checkpoint stays. Best weights of other
  // evaluations than the state's best are removed.
  void save(const TrainingState& state, const NamedTensors& weights, const NamedTensors& optimizer);
  void save_best(std::size_t evaluation, const NamedTensors& weights);
  NamedTensors load_best(std::size_t evaluation) const;

  // Removes them all: the training is over.
  void clear();

 private:
  std::filesystem::path best_file(std::size_t evaluation) const;
  void remove_best_but(std::optional<std::size_t> kept);

  std::filesystem::path folder_;
  std::string contents_;
};

}  // namespace labelprobe::training
