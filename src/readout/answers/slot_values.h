// What is told of a slot, from what its readouts have found there.
#pragma once

#include <optional>
#include <vector>

#include "readout/answers/slot_walk.h"

namespace labelprobe::readout {

// Probabilities of the whole vocabulary.
struct SlotProbs {
  std::vector<double> labels;       // [n_labels]
  std::optional<double> empty;      // the answer ends, listing nothing; unset: it cannot
  std::optional<double> ends = {};  // the answer ends before the label; unset: it cannot
  double unexplored = 0.0;

  double label_mass() const;  // of all labels and the empty answer
};

SlotProbs probs_of(const SlotWalk& walk);

record::SlotValues slot_values(const AnswerTree& tree,
                               const Slot& slot,
                               const SlotProbs& probs,
                               record::Normalisation normalisation);

// What a slot alone makes of the labels: normalisation, probabilities and masses.
void fill_slot(record::ReadoutValues& values,
               const AnswerFormat& format,
               const SlotProbs& probs,
               record::Normalisation normalisation);

}  // namespace labelprobe::readout
