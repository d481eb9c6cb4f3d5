// A model behind a server, as the runs of a local one use it: a wrapper of the text door.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "labelprobe/model/language_model.h"
#include "labelprobe/server/answerer.h"
#include "labelprobe/server/open.h"

#include "experiment/served/served_vocabulary.h"

namespace labelprobe::experiment {

// How a run's prompts are sent, beyond the options of the server.
struct ServedAsking {
  bool are_chats = false;          // they are chats in ServedVocabulary::chat_template()
  std::string system;              // a message before those of a chat; empty = none
  std::vector<std::string> stops;  // see server::Wanted
  int n_top = 20;
};

class ServedModel final : public model::LanguageModel {
 public:
  // Asks the server who it is; throws what server::open() throws.
  explicit ServedModel(const server::Options& options);

  void ask_with(ServedAsking asking) { asking_ = std::move(asking); }
  const ServedVocabulary& vocabulary() const { return vocabulary_; }

  void generate(std::span<const TokenIds> prompts,
                const model::GenerateOptions& options,
                const model::GenerationSink& sink) override;
  // ConfigError: a server does not let itself be explored.
  void explore(std::span<const TokenIds> prompts,
               const model::ExploreOptions& options,
               model::Explorer& explorer) override;
  const model::ModelInfo& info() const override { return info_; }
  // Tokens as the server counts them.
  model::Effort effort() const override { return effort_; }

 private:
  // The first tokens of words, as the server divides texts: bytes and ids; empty where it does not
  // say. Asked for once for each word.
  std::vector<server::Piece> first_tokens_of(const TokenIds& words);
  server::Question question_of(const TokenIds& prompt, int max_new_tokens) const;

  server::Options options_;
  ServedVocabulary vocabulary_;
  std::unique_ptr<server::Answerer> answerer_;
  ServedAsking asking_;
  model::ModelInfo info_;
  model::Effort effort_;
  std::map<TokenId, server::Piece> first_tokens_;
};

}  // namespace labelprobe::experiment
