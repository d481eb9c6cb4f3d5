// A look inside the model at every label step of every answer: what each layer makes of the labels,
// what attention and MLP add to them, which parts of the text attention goes to, and what the
// labels would be without them.
// Source: methods beyond the paper's four, section 10; docs of each number: model/explorer.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/record/label_step.h"

namespace labelprobe::experiment {

// Which parts of a prompt are told apart; each token belongs to the one that has its first byte.
struct TextPart {
  std::string name;  // first_token, instruction, demonstrations, input, rest; answer
  model::Positions positions;
};

// The parts of a prompt, none empty, all its tokens among them: the first token, which attention
// rests on, by itself; `rest` is what the template puts around the input. Where the text of the
// prompt is not known (chats), it is all `rest` but the first token.
std::vector<TextPart> parts_of_prompt(const prompt::Query& query,
                                      const std::string& stop,
                                      const TokenIds& prompt,
                                      const tokenizer::Tokenizer& tokenizer);

struct InspectionOptions {
  bool attention = true;         // to each part, and what it adds
  bool knockouts = true;         // what each step would be without each part
  bool lens_vocabulary = false;  // what the whole vocabulary says behind each layer
  int batch_size = 0;
  bool share_prefixes = true;
  std::vector<bool> is_inspected;  // [n_queries], that are left out; empty = none
  std::function<void(const model::Effort&)> on_work;
};

// Numbers of a label step, by layer.
//   L  layers
struct InspectedStep {
  std::int64_t number = 1;     // of the answer's label steps
  std::int64_t index = 0;      // tokens generated before it
  record::LabelValues logits;  // the model's own
  float log_sum_exp = 0.0F;
  std::vector<record::LabelValues> lens;  // [L + 1]: logits behind the embedding, layer 1, ...
  // The same lens over the whole vocabulary, where it was asked for: log of the sum of exp, so
  // that probabilities are exp(lens - it); and the rank of each label's token, 1 = first.
  std::vector<float> lens_log_sum_exp;                // [L + 1]
  std::vector<std::vector<std::int64_t>> lens_ranks;  // [L + 1], in the order of `logits`
  std::vector<record::LabelValues>
      parts;  // [2 L + 1]: the embedding, attention and MLP of each layer
  struct Part {
    std::string name;
    std::int64_t n_positions = 0;
    std::vector<float> attention;           // [L], mean over heads; where it was asked for
    std::vector<record::LabelValues> adds;  // [L], likewise
    record::LabelValues knocked_out;        // logits without it; where it was asked for
  };
  std::vector<Part> text_parts;
};

struct Inspection {
  record::ItemRecord item;
  std::vector<InspectedStep> steps;
};

// Answers every prompt and looks at its label steps; each query once, in the order in which the
// model comes upon them. Of plans whose answers list labels.
void inspect_answers(model::LanguageModel& language_model,
                     const Settings& settings,
                     const Preparation& preparation,
                     const InspectionOptions& options,
                     const std::function<void(std::size_t query, Inspection)>& sink);

// Means over label steps.
class InspectionSummary {
 public:
  void add(const Inspection& inspection);

  struct Layer {
    double written = 0.0;    // probability among the labels, of the one that is written here
    double next = 0.0;       // of the one that is written at the next label step; of steps with one
    double entropy = 0.0;    // in nats, over the labels
    double rank = 0.0;       // of the label written here, 1 = first
    double attention = 0.0;  // what the layer's attention adds to it, beyond the labels' mean
    double mlp = 0.0;
    std::optional<double> vocabulary_prob;  // of it among all tokens, where they were looked at
    std::optional<double> vocabulary_rank;  // the median of its rank there
  };
  struct Part {
    std::string name;
    double attention = 0.0;  // mean over layers and heads of its weights' sum
    double adds = 0.0;       // to the written label, all layers, beyond the labels' mean
    double change = 0.0;     // of the written label's probability without the part
    double flips = 0.0;      // share of steps whose first label is another one without it
    std::size_t n_steps = 0;
  };
  std::vector<Layer> layers() const;  // [L + 1], the embedding first
  std::vector<Part> parts() const;
  std::size_t n_steps() const { return n_steps_; }

 private:
  void add_vocabulary(const InspectedStep& step, std::size_t written);

  std::vector<Layer> layers_;                          // sums
  std::vector<std::vector<double>> vocabulary_probs_;  // by layer, of every step that has them
  std::vector<std::vector<std::int64_t>> vocabulary_ranks_;
  std::vector<Part> parts_;
  std::size_t n_steps_ = 0;
  std::size_t n_followed_ = 0;
};

}  // namespace labelprobe::experiment
