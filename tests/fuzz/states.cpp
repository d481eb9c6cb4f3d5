// Hidden states that a run has kept.
#include "labelprobe/record/states_reader.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

void states(std::string_view input) {
  const auto file = file_with("hidden_states_0.safetensors", input);
  keep(record::read_states(file, 0, 0).numbers.size());
}

}  // namespace labelprobe::fuzz
