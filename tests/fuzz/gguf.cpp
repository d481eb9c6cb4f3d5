#include "labelprobe/files/gguf.h"

#include "labelprobe/files/gguf_vocabulary.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void gguf(std::string_view input) {
  const files::GgufFile file = files::GgufFile::open(file_with("a.gguf", input));
  unsigned sum = 0;
  for (const files::GgufTensor& tensor : file.tensors()) {
    for (const std::byte byte : tensor.bytes) sum += std::to_integer<unsigned>(byte);
  }
  keep(sum);
  for (const auto& [key, value] : file.metadata()) {
    attempt([&, &name = key] { file.integer(name); });
    attempt([&, &name = key] { file.number(name); });
    attempt([&, &name = key] { file.integers(name); });
    attempt([&, &name = key] { file.strings(name); });
  }
  attempt([&] { files::special_tokens(file); });
  attempt([&] { files::end_tokens(file); });
}

}  // namespace labelprobe::fuzz
