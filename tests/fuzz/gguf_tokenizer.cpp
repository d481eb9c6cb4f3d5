// The tokenizer and the chat template inside a GGUF file.
#include "labelprobe/tokenizer/chat_template.h"

#include "fuzz/input.h"
#include "fuzz/tokenizer.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void gguf_tokenizer(std::string_view input) {
  const auto file = file_with("a.gguf", input);
  question(*tokenizer::load(file), kText);
  tokenizer::chat_template(file);
}

}  // namespace labelprobe::fuzz
