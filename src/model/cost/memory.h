// What of a card's memory a run fills at its largest, part by part.
#pragma once

#include <string>
#include <vector>

#include "labelprobe/model/cost.h"

#include "model/cost/card_time.h"
#include "model/cost/planned_model.h"

namespace labelprobe::model::cost {

double bytes_of(const Card& card);

// Bytes that are left for keys and values and for activations when the weights are there; 0 where
// they do not fit.
double free_beside_weights(const Card& card, const PlannedModel& model);

std::vector<MemoryLine> memory_of(const CardSetting& setting,
                                  const PlannedModel& model,
                                  const Workload& workload);

// One sentence: which of the known cards, or what else, would do; empty where it fits.
std::string advise(const CardSetting& setting,
                   const PlannedModel& model,
                   const std::vector<MemoryLine>& memory);

}  // namespace labelprobe::model::cost
