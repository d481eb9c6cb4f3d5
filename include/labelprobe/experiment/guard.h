// Content-safety classifiers asked about conversations: the prompts, the verdict's probability, and
// every readout of the codes that an unsafe verdict lists.
// Source: methods beyond the paper's four, section 9.
// Callers: app, for `labelprobe guard`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/prompt/guard.h"
#include "labelprobe/record/readout_values.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

// The readout that stands for one category per prompt.
inline constexpr std::string_view kOneByOne = "one_by_one";
// P(unsafe) times the readout forced_prefix, which tells nothing of the verdict itself.
inline constexpr std::string_view kUnsafeForcedPrefix = "unsafe_forced_prefix";

struct GuardSettings {
  prompt::GuardFormat format;
  std::vector<prompt::GuardCategory> categories;  // at least one
  // A prompt for every category, the publisher's advice for policies of one's own.
  bool is_one_by_one = false;
  // What the tokenizer puts before texts, begin-of-text, before prompts whose template writes none.
  bool adds_begin_of_text = true;
  // Where no forced prefix is given: what the format's models write up to the codes' number.
  ReadoutSettings readouts;
  int max_new_tokens = 20;
  std::int64_t seed = 0;
};

// The prompts of all conversations.
struct GuardTask {
  GuardSettings settings;
  std::vector<std::string> codes;  // [n_categories]
  std::size_t n_per_item = 1;      // prompts of a conversation
  std::vector<TokenIds> prompts;   // [n_items * n_per_item], by conversation
  std::string first_text;          // of the first prompt
  TokenIds end_ids;                // that end an answer besides the model's own
  std::vector<std::string> warnings;
};

// Conversations have a message or more, a user's first, then user and assistant in turns. The
// tokenizer must outlive the task. Throws ConfigError for unknown readouts and for categories or
// options that make no sense, ModelError where the tokenizer lacks the format's special tokens.
GuardTask prepare_guard(std::span<const std::vector<prompt::Message>> conversations,
                        GuardSettings settings,
                        const tokenizer::Tokenizer& tokenizer);

// What a model says of one conversation.
struct GuardReading {
  std::vector<std::string> answers;  // [n_per_item], greedy, without special tokens
  prompt::GuardVerdict verdict;      // that they say
  // At the place of the verdict, behind white space that the greedy answer begins with. With one
  // category per prompt: of the prompt that gives `unsafe` most.
  double p_unsafe = 0.0;        // of the two verdicts
  double p_unsafe_vocab = 0.0;  // of all the model may write
  // What the two verdicts hold of that: little where the prompt, the template or the place is
  // wrong. Of several prompts the least.
  double label_mass = 0.0;
  std::vector<record::ReadoutValues> readouts;  // as chosen; kOneByOne alone with a prompt each
  std::optional<std::string> failure;           // then everything else is empty
};

struct GuardReadingOptions {
  int batch_size = 0;  // 0 = chosen from free memory
  bool share_prefixes = true;
  std::vector<bool> is_read;  // [n_items], that are left out; empty = none
  std::function<void(const model::Effort&)> on_work;
};

// Every conversation's reading goes to the sink once, in the order in which the model comes upon
// them. Throws what LanguageModel::explore() and the sink throw.
void read_conversations(model::LanguageModel& language_model,
                        const GuardTask& task,
                        const tokenizer::Tokenizer& tokenizer,
                        const GuardReadingOptions& options,
                        const std::function<void(std::size_t item, GuardReading)>& sink);

}  // namespace labelprobe::experiment
