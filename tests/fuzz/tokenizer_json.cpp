// tokenizer.json, the files beside it, and a text to encode.
#include "fuzz/input.h"
#include "fuzz/tokenizer.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void tokenizer_json(std::string_view input) {
  const auto parts = parts_of(input, 5);
  const auto& folder = folder_with({{"tokenizer.json", parts[0]},
                                    {"tokenizer_config.json", parts[2]},
                                    {"special_tokens_map.json", parts[3]},
                                    {"added_tokens.json", parts[4]}});
  question(*tokenizer::load(folder), parts[1].value_or(kText));
}

}  // namespace labelprobe::fuzz
