#include "fuzz/input.h"
#include "fuzz/tokenizer.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void sentencepiece(std::string_view input) {
  question(*tokenizer::load(file_with("tokenizer.model", input)), kText);
}

}  // namespace labelprobe::fuzz
