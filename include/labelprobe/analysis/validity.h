// How far the probabilities of a run can be trusted: whether answers were found and where, what the
// labels hold of the whole vocabulary there, and where two ways of reading disagree. For every
// table made of the run. Source: methods beyond the paper's four, section 1, rules 3 and 4.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/record/item_record.h"

namespace labelprobe::analysis {

// One thing that was measured.
struct ValidityRow {
  std::string name;    // "label mass at the first label step, mean"
  double value = 0.0;  // a share from 0 to 1, or what the name says
  std::size_t n = 0;   // items that it is of
  bool is_share = false;
  bool is_doubtful = false;  // such values ask for a look at the prompt
  std::string brief = {};    // what a line about the run calls it; empty: it says nothing of it
};

// Below it a label mass says that the model would rather write something else.
inline constexpr double kLowLabelMass = 0.5;

// Measures a run's items, in an order that goes from the answer to its probabilities. What the
// items do not have (label steps, answer words, readouts) has no row.
std::vector<ValidityRow> measure_validity(std::span<const record::ItemRecord> items);

// The rows that have a brief name in one line, for people: "label mass 0.753, ..." Empty if none
// has.
std::string describe_briefly(std::span<const ValidityRow> rows);

// What the labels' first tokens, with and without a space before them, hold of the vocabulary at a
// label step; of labels that share a token it counts once. Unset where the log does not tell.
std::optional<double> label_mass(const record::LabelStep& step);

}  // namespace labelprobe::analysis
