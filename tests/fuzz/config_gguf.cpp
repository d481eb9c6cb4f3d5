// The header of a GGUF file as a decoder's configuration, and its tensors.
#include "labelprobe/files/gguf.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"
#include "weights/checkpoint/gguf_tensors.h"
#include "weights/checkpoint/load_config.h"

namespace labelprobe::fuzz {

void config_gguf(std::string_view input) {
  const files::GgufFile file = files::GgufFile::open(file_with("a.gguf", input));
  const weights::DecoderConfig config = weights::load_config(file);
  for (const weights::StoredTensor& tensor : weights::gguf_tensors(file, config)) {
    keep(tensor.name.size() + tensor.shape.size());
  }
}

}  // namespace labelprobe::fuzz
