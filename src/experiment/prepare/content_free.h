// Examples without content, in place of those of a data set.
// Sources: contextual calibration (Zhao et al. 2021), whose texts are `N/A`, the empty one and
// `[MASK]`; domain-context calibration (Fei et al. 2023), whose texts are random words of the task.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/experiment/settings.h"

namespace labelprobe::experiment {

// The given texts, then those of random words, each with as many words as the examples have in the
// mean, drawn from all words of all examples by Python's random.Random(seed).choice(). They have no
// right labels: those of single-label sets count as the first one.
//   examples  not empty
std::vector<Example> make_content_free(const ContentFreeTexts& texts,
                                       std::span<const Example> examples,
                                       LabelKind kind,
                                       std::int64_t seed);

}  // namespace labelprobe::experiment
