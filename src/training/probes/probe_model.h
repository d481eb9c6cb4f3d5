// All that makes probabilities of hidden states.
#pragma once

#include "labelprobe/training/probes.h"

#include "training/probes/probe_fits.h"
#include "training/probes/reduction.h"

namespace labelprobe::training {

struct ProbeModel {
  Reduction reduction;
  LabelProbes gold;       // trained on gold labels
  LabelProbes predicted;  // trained on what the model predicted
};

}  // namespace labelprobe::training
