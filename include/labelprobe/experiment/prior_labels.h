// What an earlier run predicted, put beside the examples it was asked about.
#pragma once

#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/experiment/settings.h"

namespace labelprobe::experiment {

// Sets Example::prior_labels from the log's predictions of the same example and annotator; examples
// that the log does not have stay without. No folder = nothing to do. Throws DataError if the log
// names a label that the set does not have, or knows none of the examples.
void read_prior_labels(const PriorLog& log,
                       const LabelSet& label_set,
                       std::vector<Example>& examples);

}  // namespace labelprobe::experiment
