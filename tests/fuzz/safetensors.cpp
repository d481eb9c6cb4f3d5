#include "labelprobe/files/safetensors.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void safetensors(std::string_view input) {
  const auto file =
      files::SafetensorsFile::open(file_with("a.safetensors", input), ErrorKind::Model);
  unsigned sum = 0;
  for (const files::SafetensorsTensor& tensor : file.tensors()) {
    for (const std::byte byte : tensor.bytes) sum += std::to_integer<unsigned>(byte);
  }
  keep(sum);
}

}  // namespace labelprobe::fuzz
