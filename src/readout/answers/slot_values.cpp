#include "readout/answers/slot_values.h"

#include <algorithm>
#include <numeric>

namespace labelprobe::readout {

namespace {

using record::Normalisation;

// The numbers as they are, or as shares of the labels' and the empty answer's.
SlotProbs normalised(SlotProbs probs, Normalisation normalisation) {
  const double mass = probs.label_mass();
  if (normalisation != Normalisation::LabelSet || mass <= 0.0) return probs;
  for (double& prob : probs.labels) prob /= mass;
  if (probs.empty) *probs.empty /= mass;
  return probs;
}

}  // namespace

double SlotProbs::label_mass() const {
  return std::accumulate(labels.begin(), labels.end(), empty.value_or(0.0));
}

SlotProbs probs_of(const SlotWalk& walk) {
  SlotProbs probs;
  probs.labels = walk.probs();
  (walk.slot().number == 1 ? probs.empty : probs.ends) =
      walk.slot().number == 1 ? walk.empty() : walk.ends();
  probs.unexplored = walk.unexplored();
  return probs;
}

record::SlotValues slot_values(const AnswerTree& tree,
                               const Slot& slot,
                               const SlotProbs& probs,
                               Normalisation normalisation) {
  const auto name_of = [&](LabelIndex label) {
    return tree.format().labels[static_cast<std::size_t>(label)].name;
  };
  const SlotProbs shown = normalised(probs, normalisation);
  record::SlotValues values;
  values.number = slot.number;
  values.index = tree.node(slot.node).depth;
  for (const LabelIndex label : slot.before_labels) values.seen.push_back(name_of(label));
  if (slot.written >= 0) values.written = name_of(slot.written);
  values.probs = with_names(tree.format(), shown.labels);
  values.empty = shown.empty;
  values.ends = probs.ends;
  values.label_mass = probs.label_mass();
  values.unclaimed = std::max(0.0, 1.0 - probs.label_mass() - probs.ends.value_or(0.0));
  return values;
}

void fill_slot(record::ReadoutValues& values,
               const AnswerFormat& format,
               const SlotProbs& probs,
               Normalisation normalisation) {
  const SlotProbs shown = normalised(probs, normalisation);
  values.normalisation = normalisation;
  values.probs = with_names(format, shown.labels);
  values.empty = shown.empty;
  values.label_mass = probs.label_mass();
  values.off_format = std::max(0.0, 1.0 - probs.label_mass() - probs.unexplored);
  values.unexplored = probs.unexplored;
}

}  // namespace labelprobe::readout
