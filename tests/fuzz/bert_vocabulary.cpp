// BERT's vocab.txt, the file beside it, and a text to encode.
#include "fuzz/input.h"
#include "fuzz/tokenizer.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void bert_vocabulary(std::string_view input) {
  const auto parts = parts_of(input, 3);
  const auto& folder = folder_with({{"vocab.txt", parts[0]}, {"tokenizer_config.json", parts[2]}});
  question(*tokenizer::load(folder), parts[1].value_or(kText));
}

}  // namespace labelprobe::fuzz
