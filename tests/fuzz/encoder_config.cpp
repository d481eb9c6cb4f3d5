// The files of a sentence encoder.
#include "weights/encoder/encoder_config.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void encoder_config(std::string_view input) {
  const auto parts = parts_of(input, 4);
  const auto& folder = folder_with({{"config.json", parts[0]},
                                    {"modules.json", parts[1]},
                                    {"1_Pooling/config.json", parts[2]},
                                    {"sentence_bert_config.json", parts[3]}});
  const weights::EncoderConfig config = weights::load_sentence_encoder_config(folder);
  LABELPROBE_CHECK(config.n_heads > 0 && config.max_tokens >= 2);
}

}  // namespace labelprobe::fuzz
