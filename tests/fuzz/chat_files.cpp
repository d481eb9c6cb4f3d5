// Where a model's chat template is looked for, and the tokens that it may name.
#include "labelprobe/tokenizer/chat_template.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void chat_files(std::string_view input) {
  const auto parts = parts_of(input, 3);
  const auto& folder = folder_with({{"tokenizer_config.json", parts[0]},
                                    {"special_tokens_map.json", parts[1]},
                                    {"chat_template.jinja", parts[2]}});
  if (const auto found = tokenizer::chat_template(folder)) keep(found->text.size());
}

}  // namespace labelprobe::fuzz
