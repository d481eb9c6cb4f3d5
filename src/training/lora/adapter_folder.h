// The folder of an adapter, written as peft writes it, and checkpoints of a training, which are
// such folders with the state of the optimizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "labelprobe/training/finetune.h"

#include "training/curve/curve.h"
#include "training/optimizer/adam_w.h"

namespace labelprobe::training {

// Who is trained on what: the same text in every checkpoint of one training.
struct TrainingIdentity {
  std::string model_name;
  std::string base_fingerprint;
  std::string description;  // of settings and data
};

// The adapter's files into a folder that is there. Each is there whole, or as it was before.
void write_adapter(const std::filesystem::path& folder,
                   const std::vector<NamedParameter>& parameters,
                   const FinetuneSettings& settings,
                   const TrainingIdentity& identity);

// FOLDER/checkpoint-<step>, which appears when it is complete; then all but the newest `n_kept` go
// away.
void write_checkpoint(const std::filesystem::path& folder,
                      const AdamW& optimizer,
                      const FinetuneSettings& settings,
                      const TrainingIdentity& identity,
                      const Curve& curve,
                      std::int64_t step);

// Fills parameters and optimizer from the newest checkpoint, and the curve up to it; returns its
// step, or nothing where there is none. Throws ConfigError where it belongs to another training.
std::optional<std::int64_t> read_checkpoint(const std::filesystem::path& folder,
                                            AdamW& optimizer,
                                            const TrainingIdentity& identity,
                                            Curve& curve);

// Whether the folder holds a finished adapter of this training. Throws ConfigError where it holds
// that of another.
bool is_finished(const std::filesystem::path& folder, const TrainingIdentity& identity);

}  // namespace labelprobe::training
