// Random checkpoints as GGUF files: which tensors they have, what the header says, and the writing.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "labelprobe/files/gguf_writer.h"
#include "labelprobe/weights/making.h"

#include "weights/families/parameters.h"

namespace labelprobe::weights {

// What a parameter is stored as: norms and biases as F32, matrices as asked for, or as Q8_0 where
// their rows are no whole blocks of that type.
files::GgmlType stored_as(const Parameter& parameter, files::GgmlType asked);

// The tensors and the header of the model. A vocabulary's tokens come along, with further ones that
// nobody uses up to the model's number.
struct GgufPlan {
  files::GgufMetadata metadata;
  std::vector<files::GgufTensorToWrite> tensors;
};
GgufPlan plan_gguf(const RandomCheckpointOptions& options);

// Writes the file; `path` must not be there. Same options, same bytes, whatever the number of
// threads. Throws ModelError if it cannot be written.
void write_gguf(const RandomCheckpointOptions& options, const std::filesystem::path& path);

}  // namespace labelprobe::weights
