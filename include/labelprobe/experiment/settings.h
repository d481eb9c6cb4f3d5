// Everything that decides what one run computes. Made by app from flags and config files; nothing
// here is resolved yet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/label_format.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/experiment/plan.h"
#include "labelprobe/prompt/queries.h"
#include "labelprobe/prompt/sampler.h"
#include "labelprobe/prompt/template.h"
#include "labelprobe/readout/answer.h"
#include "labelprobe/readout/label_tokens.h"
#include "labelprobe/readout/readouts.h"
#include "labelprobe/tokenizer/chat_template.h"

namespace labelprobe::experiment {

// The log of an earlier run whose predictions are prior labels.
struct PriorLog {
  std::filesystem::path folder;   // empty = none
  std::optional<int> experiment;  // unset = the last one
};

// What a sentence encoder makes of texts.
struct EncodedTexts {
  int n_dims = 0;
  std::vector<float> vectors;  // [n_texts, n_dims] row by row
  std::string encoder_fingerprint;
};

// Where the vectors of the sampling strategy similarity come from; the file wins.
struct SentenceVectorSource {
  std::filesystem::path file;  // of other programs, see data/vector_file.h; empty = none
  std::function<EncodedTexts(std::span<const std::string> texts)> encode;  // unset = none
};

// Texts that say nothing, asked about in place of the data set's: what a model answers then is its
// bias, which calibrations take out.
struct ContentFreeTexts {
  std::vector<std::string> texts;  // given: "N/A", "", "[MASK]"
  int n_of_words = 0;              // further ones, of random words of the data set's texts
};

// What is read off the model beside the greedy answers.
struct ReadoutSettings {
  std::vector<std::string> names;  // of readout::readouts(); none = nothing
  // Its max_new_tokens and seed are the run's.
  readout::ReadoutOptions options;
};

// Where the model's insides are looked at.
enum class LookAt {
  FirstLabel,  // the place that predicts the first label's first token
  EveryLabel,  // that of every label step
  LastPrompt,  // the last token of the prompt
};
inline constexpr auto kLookAts = enum_names<LookAt>("place to look at",
                                                    {{LookAt::FirstLabel, "first-label"},
                                                     {LookAt::EveryLabel, "every-label"},
                                                     {LookAt::LastPrompt, "last-prompt"}});

// What a run keeps of the model's insides.
struct InsideSettings {
  // 0: the embedding; l: behind layer l; -1: behind the final norm. Empty: no states are kept.
  std::vector<int> hidden_layers;
  LookAt at = LookAt::FirstLabel;
  bool logs_attention = false;        // shares of attention in the log, means over layers and heads
  bool keeps_head_attention = false;  // those of every layer and head, in a file of their own

  bool sees_attention() const { return logs_attention || keeps_head_attention; }
  bool is_asked_for() const { return !hidden_layers.empty() || sees_attention(); }
};

struct Settings {
  const Plan* plan = &find_plan("baseline");
  std::string task;            // a data set's name
  data::DatasetOptions train;  // where demonstrations come from; no splits = none are needed
  data::DatasetOptions test;   // what is asked
  prompt::PromptMode mode = prompt::PromptMode::Completion;
  std::filesystem::path chat_template_file;  // chat: in place of the model's own; empty = that
  // Chat: what is run, needed by prepare() alone; unset = the model comes with none.
  std::optional<tokenizer::ChatTemplate> chat_template;
  prompt::TemplateOptions templates;
  prompt::SamplingStrategy sampling;
  SentenceVectorSource sentence_vectors;
  prompt::DemonstrationMode demonstrations = prompt::DemonstrationMode::Shared;
  prompt::OwnDemonstrations own_demonstrations = prompt::OwnDemonstrations::Keep;
  prompt::LabelModeOptions labels;  // n_tokens is filled in by prepare()
  prompt::PairOptions pair;
  std::filesystem::path cot_csv;  // chains of thought by full id; empty = none
  bool randomize_cots = false;
  PriorLog train_prior;  // of the demonstrations
  PriorLog test_prior;   // of the queries
  int n_shots = 0;
  std::int64_t seed = 0;
  std::optional<std::int64_t> limit;  // only the first so many queries
  int max_new_tokens = 0;
  std::optional<double> repetition_penalty;  // in place of the model's own; unset = that
  readout::LabelVariants label_variants = readout::LabelVariants::Both;
  readout::Parser parser = readout::Parser::Words;  // of answers that list labels of the data set
  ReadoutSettings readouts;
  InsideSettings inside;
  ContentFreeTexts content_free;      // none = the data set's own texts are asked about
  std::optional<int> logs_precision;  // decimals kept of logged numbers; unset = all
  int batch_size = 0;                 // 0 = chosen by the model
  bool share_prefixes = true;
  bool drafts_answers = true;  // guesses how answers go on, where that saves passes
};

}  // namespace labelprobe::experiment
