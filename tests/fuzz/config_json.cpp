// config.json and generation_config.json of a decoder.
#include "fuzz/input.h"
#include "fuzz_targets.h"
#include "weights/checkpoint/load_config.h"
#include "weights/families/family.h"
#include "weights/families/parameters.h"

namespace labelprobe::fuzz {

void config_json(std::string_view input) {
  const auto parts = parts_of(input, 2);
  const weights::DecoderConfig config = weights::load_config(
      folder_with({{"config.json", parts[0]}, {"generation_config.json", parts[1]}}));
  LABELPROBE_CHECK(config.n_heads > 0 && config.n_layers > 0 && config.family != nullptr);
  if (config.n_layers <= 16 && config.experts.n <= 16) {
    keep(weights::parameters_of(config).size());
  }
}

}  // namespace labelprobe::fuzz
