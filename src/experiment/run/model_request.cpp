// What a run asks its model, and what of that decides its answers.
#include <algorithm>
#include <span>
#include <utility>

#include "labelprobe/core/fingerprint.h"
#include "labelprobe/experiment/run.h"

namespace labelprobe::experiment {

namespace {

constexpr int kTopTokens = 10;  // enough to see what the model would rather have said

void add_ids(Fingerprint& fingerprint, const std::vector<TokenIds>& prompts) {
  for (const TokenIds& ids : prompts) {
    fingerprint.add(std::to_string(ids.size()));
    fingerprint.add(std::as_bytes(std::span(ids)));
  }
}

}  // namespace

std::string GenerationInForce::describe() const {
  const std::string of_rules = weights::describe(rules);
  if (is_served) {
    return "the server ends answers and chooses the likeliest token" +
           (of_rules.empty() ? "" : ", " + of_rules);
  }
  std::string text = end_ids.empty() ? "no token ends an answer" : "answers end at token";
  for (const TokenId id : end_ids) {
    text += " " + std::to_string(id);
  }
  return text + ", " + (of_rules.empty() ? "no rule changes the logits" : of_rules);
}

GenerationInForce generation_in_force(const model::ModelInfo& info,
                                      const Settings& settings,
                                      const Preparation& preparation) {
  GenerationInForce made{info.end_ids, info.rules, preparation.is_served};
  for (const TokenId id : preparation.end_ids) {
    if (std::find(made.end_ids.begin(), made.end_ids.end(), id) == made.end_ids.end()) {
      made.end_ids.push_back(id);
    }
  }
  made.rules.repetition_penalty =
      settings.repetition_penalty.value_or(made.rules.repetition_penalty);
  return made;
}

std::string fingerprint_of_tokens(const Preparation& preparation) {
  Fingerprint fingerprint;
  add_ids(fingerprint, preparation.prompts);
  add_ids(fingerprint, preparation.beginnings);
  return fingerprint.hex();
}

std::string fingerprint_of_labels(const Preparation& preparation) {
  Fingerprint fingerprint;
  for (const LabelSet* set :
       {&preparation.questions.label_set, &preparation.questions.answer_set}) {
    fingerprint.add(set->kind() == LabelKind::MultiLabel ? "multi" : "single");
    for (const std::string& name : set->names_with_none()) {
      fingerprint.add(name);
    }
  }
  return fingerprint.hex();
}

ModelRequest make_model_request(const model::ModelInfo& info,
                                const Settings& settings,
                                const Preparation& preparation) {
  ModelRequest asked;
  model::GenerateOptions& options = asked.options;
  if (preparation.beginnings.empty()) {
    asked.prompts = preparation.prompts;
  } else {
    asked.n_per_query = 2;
    for (std::size_t i = 0; i < preparation.prompts.size(); ++i) {
      asked.prompts.push_back(preparation.prompts[i]);
      options.n_new_tokens.push_back(settings.max_new_tokens);
      asked.prompts.push_back(preparation.beginnings[i]);
      options.n_new_tokens.push_back(1);
    }
  }
  GenerationInForce generation = generation_in_force(info, settings, preparation);
  options.stop.max_new_tokens = settings.max_new_tokens;
  options.stop.end_ids = std::move(generation.end_ids);
  options.rules = std::move(generation.rules);
  options.stop.is_complete = preparation.answers.is_complete;
  if (settings.drafts_answers) options.draft = preparation.answers.draft;
  options.watched = preparation.answers.watched;
  options.n_top_tokens = kTopTokens;
  options.batch_size = settings.batch_size;
  options.share_prefixes = settings.share_prefixes;
  return asked;
}

}  // namespace labelprobe::experiment
