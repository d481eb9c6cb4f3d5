#include "fuzz/input.h"
#include "fuzz_targets.h"
#include "weights/adapter/adapter_settings.h"

namespace labelprobe::fuzz {

void adapter_config(std::string_view input) {
  const auto settings =
      weights::read_adapter_settings(file_with("adapter_config.json", input).parent_path());
  keep(settings.is_rslora ? 1 : 0);
}

}  // namespace labelprobe::fuzz
