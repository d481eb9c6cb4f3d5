// What a plan holds of its data in the form that is trained on.
#pragma once

#include <c10/core/Device.h>

#include "labelprobe/training/demux.h"

#include "training/demux/paired_texts.h"

namespace labelprobe::training {

struct DemuxPlan::Sequences {
  c10::Device device = c10::Device(c10::kCPU);
  PairMaker maker;
  PairedTexts train;
  PairedTexts dev;
  PairedTexts test;
  // As demux_loss() takes them, of all train examples.
  at::Tensor targets;
};

}  // namespace labelprobe::training
