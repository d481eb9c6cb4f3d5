// Probabilities as files: reads those that other programs wrote (a classifier's `scores.yml`, the
// linear probes' `eval_scores.yml`), and writes some of the same form.
#pragma once

#include <filesystem>
#include <iosfwd>

#include "labelprobe/analysis/distributions.h"
#include "labelprobe/core/label_set.h"

namespace labelprobe::analysis {

// By example id (an ending `__aggregate` is taken off): [n_labels] in label-set order.
// The file is a YAML mapping of ids to mappings of every label to its probability; `none` is
// ignored. Throws DataError (file:line, expected, found) if the file is missing or of another form,
// if an id stands there twice, or if a label is unknown or missing or its probability lies outside
// [0, 1].
Distributions read_scores(const std::filesystem::path& path, const LabelSet& label_set);

// What read_scores() reads back, every digit kept.
void write_scores(std::ostream& out, const Distributions& estimates, const LabelSet& label_set);

}  // namespace labelprobe::analysis
