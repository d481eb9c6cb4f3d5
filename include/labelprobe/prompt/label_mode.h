// Labels of demonstrations other than their gold ones: random, borrowed, predicted, opposite.
// Source: the published code's `label_mode`, applied to aggregate queries after sampling.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::prompt {

enum class LabelMode {
  Gold,          // unchanged
  Random,        // multi-label: a random number of random labels; single-label: one random label
  Distribution,  // the label of a random training example
  Predictions,   // Example::prior_labels
  Opposite,      // the other class of a two-class single-label set
  Contrastive,   // see label_mode.cpp
};

// "random", "distribution", "preds", "opposite", "contrastive" (also the old "constrastive"), ""
// and "None" for Gold. Throws ConfigError naming them.
LabelMode parse_label_mode(std::string_view name);

struct LabelModeOptions {
  LabelMode mode = LabelMode::Gold;
  std::optional<std::int64_t>
      randomization_seed;    // seeds the label draws; unset: the sampler's go on
  bool same_length = false;  // Distribution: only labels of as many tokens as the gold one
  // Tokens of a formatted label, for same_length.
  std::function<int(std::string_view)> n_tokens;
};

}  // namespace labelprobe::prompt
