// A model of which only the sizes count: of a checkpoint's headers, or of a shape that no file has.
#pragma once

#include <string>

#include "labelprobe/model/language_model.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::model::cost {

struct PlannedModel {
  weights::DecoderConfig config;
  ModelInfo info;
  double disk_bytes = 0;
};

// What the fullest of n cards holds of it, where they divide its layers: the bytes of weights, keys
// and values are that card's.
struct CardPart {
  PlannedModel model;
  int n_layers = 0;
};
CardPart fullest_part(const PlannedModel& model, int n_cards, double card_bytes);

// The model that locate() found, or the shape of that name where there is no such file. Throws as
// inspect() does.
PlannedModel planned_model(const std::string& model, DType dtype, Quantization quantization);

}  // namespace labelprobe::model::cost
