// All of a run that needs no model: examples, prompts, token ids, label tokens. What --dry-run
// shows, and what is checked before weights are loaded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/experiment/answers.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/prompt/queries.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::experiment {

// Behind the task in the name of a log's category, where a server has answered.
inline constexpr const char* kServedCategory = "OpenAI";

// The questions of a run, before any tokenizer is known.
struct Questions {
  LabelSet label_set;   // of the data set
  LabelSet answer_set;  // what answers name: the data set's labels, or the plan's answer words
  prompt::Templates templates;
  std::vector<prompt::Query> queries;
  std::int64_t n_demonstrated = 0;  // examples asked about that are shown with their own labels
  std::string encoder_fingerprint;  // of the sentence encoder that chose demonstrations; or empty
  std::map<std::string, std::string> data_files;  // path -> fingerprint
  std::vector<std::string> warnings;
};

// Loads the data and makes every prompt. Needs settings.labels.n_tokens only for labels of the same
// length. Throws ConfigError or DataError; an empty test set is a
// DataError.
Questions make_questions(const Settings& settings);

// What the prompts of a run weigh.
struct TokenCounts {
  std::int64_t n_prompt_tokens = 0;  // all prompts, end to end
  std::int64_t n_distinct_tokens =
      0;  // nodes of the trie of all prompts: what sharing leaves to compute
  std::int64_t n_shared_prefix = 0;  // tokens that every prompt begins with
  std::int64_t longest_prompt = 0;
};
TokenCounts count_tokens(const std::vector<TokenIds>& prompts);

struct Preparation {
  Questions questions;
  std::vector<TokenIds> prompts;  // [n_queries]
  // The beginnings that are looked at too (Answers::beginning), [n_queries] or none. Nearly always
  // prefixes of the prompts, hence free.
  std::vector<TokenIds> beginnings;
  TokenIds end_ids;  // that end an answer besides the model's own: a chat's end of turn
  // By a server: it decodes as it does, and what it has not answered is asked again.
  bool is_served = false;
  TokenCounts token_counts;
  // Tokens that readouts compute for each prompt and beginning, about: readout::estimated_places().
  std::int64_t n_readout_tokens = 0;
  Answers answers;
  const tokenizer::Tokenizer* tokenizer = nullptr;  // that prepare() was given
  std::string tokenizer_fingerprint;
  std::string contents_fingerprint;  // of all prompts, their ids, the tokenizer and the encoder

  // For people: colliding and one-letter label tokens, ids that were not found.
  std::vector<std::string> warnings;
};

// The tokenizer must outlive what is made.
Preparation prepare(const Settings& settings, const tokenizer::Tokenizer& tokenizer);

}  // namespace labelprobe::experiment
