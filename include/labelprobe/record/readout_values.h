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

// Where the answers begin that are read. Prompts that are answered by one word end in a space, and
// are read at both places, as ItemRecord::first_answer and healed_answer are.
enum class ReadoutPlace {
  Prompt,  // behind the prompt
  First,   // behind a prompt that ends in a space
  Healed,  // before that space
};
inline constexpr auto kReadoutPlaces = enum_names<ReadoutPlace>("place of a readout",
                                                                {{ReadoutPlace::Prompt, "prompt"},
                                                                 {ReadoutPlace::First, "first"},
                                                                 {ReadoutPlace::Healed, "healed"}});

// The probability of the answers that list exactly these labels, in any order.
struct SetProbability {
  std::vector<std::string> labels;  // in label-set order; empty: the empty answer
  float prob = 0.0F;

  friend bool operator==(const SetProbability&, const SetProbability&) = default;
};

// What a readout makes of a slot: a place of the greedy answer where a label begins.
struct SlotValues {
  std::int64_t number = 1;          // from 1 on: the answer's n-th label begins here
  std::int64_t index = 0;           // tokens of the answer before it
  std::vector<std::string> seen;    // labels before it, in the order written
  std::string written;              // the greedy answer's label; empty: it finishes none here
  LabelValues probs;                // by the readout's normalisation
  std::optional<float> empty;       // the answer that lists nothing; at the first slot only
  std::optional<float> ends;        // it ends before the label; after the first slot
  std::optional<float> label_mass;  // of the labels and the empty answer, before normalising
  std::optional<float> unclaimed;   // the rest: what is no label here, or was not looked at

  friend bool operator==(const SlotValues&, const SlotValues&) = default;
};

// How an answer that was drawn came to its end.
enum class DrawEnd {
  Closed,     // as the format says
  OffFormat,  // what follows is no answer of the format
  Cut,        // it was too long, or no place was left for it
};
inline constexpr auto kDrawEnds = enum_names<DrawEnd>(
    "end of a drawn answer",
    {{DrawEnd::Closed, "closed"}, {DrawEnd::OffFormat, "off_format"}, {DrawEnd::Cut, "cut"}});

// Drawn answers that are the same text.
struct DrawnAnswer {
  // Without white space at its end; of answers that leave the format, up to there.
  std::string text;
  DrawEnd end = DrawEnd::Closed;
  std::int64_t n = 0;  // how often it was drawn

  friend bool operator==(const DrawnAnswer&, const DrawnAnswer&) = default;
};

struct ReadoutValues {
  std::string name;    // of the readout: "marginal_exact"
  std::string params;  // every setting that changes its numbers: "top_p 0.99, eps 0.01"
  ReadoutPlace place = ReadoutPlace::Prompt;
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
  std::vector<SlotValues> slots;     // in the order of the answer; `probs` are of the first, or
                                     // made of all, as the readout says
  std::vector<SlotValues> forced;    // the slot behind each label that was put first
  std::vector<DrawnAnswer> drawn;    // most frequent first, then by text
  std::int64_t n_extra_tokens = 0;   // computed beside the prompt and the greedy answer
  std::int64_t n_nodes = 0;          // of the answer tree that it looked at
  std::int64_t n_samples = 0;        // answers drawn

  friend bool operator==(const ReadoutValues&, const ReadoutValues&) = default;
};

// "slot_trie", "slot_trie, healed"
std::string name_with_place(const ReadoutValues& values);

}  // namespace labelprobe::record
