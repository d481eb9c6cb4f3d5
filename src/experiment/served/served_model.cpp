#include "experiment/served/served_model.h"

#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/workbench.h"

#include "experiment/served/served_answer.h"

namespace labelprobe::experiment {

ServedModel::ServedModel(const server::Options& options)
    : options_(options), answerer_(server::open(options)) {
  const server::Capabilities& can = answerer_->can();
  info_.architecture = can.model;
  info_.vocab_size = vocabulary_.vocab_size();
  info_.max_context = can.max_context;
  info_.device = kServerDevice;
  info_.device_name = options.address;
  info_.backend = can.software;
  info_.fingerprint = can.fingerprint;
}

server::Question ServedModel::question_of(const TokenIds& prompt, int max_new_tokens) const {
  server::Question question;
  question.max_new_tokens = max_new_tokens;
  if (asking_.are_chats) {
    question.messages = vocabulary_.messages(prompt);
  } else if (options_.asks_chat) {
    question.messages = {{"user", vocabulary_.text(prompt)}};
  } else {
    question.prompt = vocabulary_.text(prompt);
  }
  if (!asking_.system.empty()) {
    question.messages.insert(question.messages.begin(), {"system", asking_.system});
  }
  return question;
}

std::vector<server::Piece> ServedModel::first_tokens_of(const TokenIds& words) {
  std::vector<server::Piece> firsts;
  for (const TokenId word : words) {
    if (!first_tokens_.contains(word)) {
      const std::string bytes = vocabulary_.token_bytes(word);
      const std::string before = bytes.starts_with(' ') ? "a" : "\n";
      server::Piece& first = first_tokens_[word];
      std::size_t at = 0;
      for (const server::Piece& piece :
           answerer_->tokenize(before + bytes).value_or(std::vector<server::Piece>())) {
        if (at == before.size()) first = piece;
        at += piece.text.size();
      }
    }
    firsts.push_back(first_tokens_[word]);
  }
  return firsts;
}

void ServedModel::generate(std::span<const TokenIds> prompts,
                           const model::GenerateOptions& options,
                           const model::GenerationSink& sink) {
  std::vector<server::Question> questions;
  std::vector<std::size_t> indices;  // of their prompts
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (!options.is_answered.empty() && options.is_answered[i]) continue;
    questions.push_back(question_of(prompts[i], options.n_new_tokens.empty()
                                                    ? options.stop.max_new_tokens
                                                    : options.n_new_tokens[i]));
    indices.push_back(i);
  }
  const float penalty = static_cast<float>(options.rules.repetition_penalty);
  server::Wanted wanted;
  wanted.n_top = asking_.n_top;
  wanted.stops = asking_.stops;
  if (penalty != 1.0F) wanted.repetition_penalty = options.rules.repetition_penalty;
  std::vector<std::string> first_tokens;
  for (const server::Piece& first : first_tokens_of(options.watched)) {
    first_tokens.push_back(first.text);
    if (answerer_->can().takes_token_ids && !first.text.empty()) {
      wanted.token_ids.push_back(first.id);
    }
  }
  if (wanted.token_ids.size() < options.watched.size()) wanted.token_ids.clear();
  answerer_->answer(questions, wanted, [&](std::size_t question, server::TextAnswer& answer) {
    effort_.n_prompt_tokens += answer.n_prompt_tokens;
    effort_.n_prompt_tokens_computed += answer.n_prompt_tokens;
    effort_.n_generated_tokens += answer.n_completion_tokens;
    std::pair<std::size_t, model::Generation> made{
        indices[question], generation_of(answer, options, vocabulary_, first_tokens)};
    sink({&made, 1});
  });
}

void ServedModel::explore(std::span<const TokenIds>,
                          const model::ExploreOptions&,
                          model::Explorer&) {
  throw ConfigError(fmt::format(
      "{}: a server answers questions only; readouts and looks inside need the model's files",
      options_.address));
}

}  // namespace labelprobe::experiment
