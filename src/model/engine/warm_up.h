// The first call of a model on a GPU, whose answers nobody reads: libraries and kernels are loaded
// when they are first used, which takes longer than many a call and belongs to the opening.
#pragma once

#include <vector>

#include "labelprobe/model/language_model.h"

namespace labelprobe::model {

struct WarmUp {
  std::vector<TokenIds> prompts;  // empty: there is none
  GenerateOptions options;
};

// Long enough for the kernels that long packs and full steps take, too short to be felt.
// LABELPROBE_WARM_UP=N in the environment: with prompts of N tokens, 0 for none.
WarmUp make_warm_up(const ModelInfo& info);

}  // namespace labelprobe::model
