// What a readout makes of one item: a probability for every label, and what there is to say of it.
// Layout: spec of the output record (methods beyond the paper's four, section 12).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/record/label_step.h"

namespace labelprobe::record {

// What a readout's probabilities are relative to.
enum class Normalisation {
  Vocab,     // everything the model may write
  LabelSet,  // the labels alone: a softmax over them
  Answer,    // the answers of the format asked for
};
inline constexpr auto kNormalisations =
    enum_names<Normalisation>("normalisation",
                              {{Normalisation::Vocab, "vocab"},
                               {Normalisation::LabelSet, "labelset"},
                               {Normalisation::Answer, "answer"}});

// The probability of the answers that list exactly these labels, in any order.
struct SetProbability {
  std::vector<std::string> labels;  // in label-set order; empty: the empty answer
  float prob = 0.0F;

  friend bool operator==(const SetProbability&, const SetProbability&) = default;
};

struct ReadoutValues {
  std::string name;    // of the readout: "marginal_exact"
  std::string params;  // every setting that changes its numbers: "top_p 0.99, eps 0.01"
  Normalisation normalisation = Normalisation::Vocab;
  LabelValues probs;
  // Where the readout has them: bounds of each label's probability, and standard errors.
  LabelValues lower;
  LabelValues upper;
  LabelValues std_errors;
  std::optional<float> empty;        // the answer that lists nothing
  std::optional<float> off_format;   // what is no answer of the format
  std::optional<float> unexplored;   // what was not looked at
  std::optional<float> label_mass;   // what labels and the empty answer hold at the first slot
  std::vector<SetProbability> sets;  // the most probable ones, largest first
  std::int64_t n_extra_tokens = 0;   // computed beside the prompt and the greedy answer
  std::int64_t n_nodes = 0;          // of the answer tree that it looked at
  std::int64_t n_samples = 0;        // answers drawn

  friend bool operator==(const ReadoutValues&, const ReadoutValues&) = default;
};

}  // namespace labelprobe::record
