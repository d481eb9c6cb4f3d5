// The index of a model in several files, and one of these.
#include "fuzz/input.h"
#include "fuzz_targets.h"
#include "weights/checkpoint/safetensors.h"

namespace labelprobe::fuzz {

void safetensors_index(std::string_view input) {
  const auto parts = parts_of(input, 2);
  const auto& folder = folder_with(
      {{"model.safetensors.index.json", parts[0]}, {"model-00001-of-00001.safetensors", parts[1]}});
  for (const files::SafetensorsFile& file : weights::open_safetensors(folder)) {
    LABELPROBE_CHECK(file.path().parent_path() == folder);
    for (const weights::StoredTensor& tensor : weights::stored_tensors(file)) {
      keep(tensor.shape.size());
    }
  }
}

}  // namespace labelprobe::fuzz
