// One call of generate() or explore(): its prompts and options, checked, and what they mean for one
// prompt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/model/language_model.h"

#include "model/engine/prefix_tree.h"

namespace labelprobe::model {

class Request {
 public:
  // Prompts and model info must outlive it. Throws ConfigError for options that make no sense.
  Request(std::span<const TokenIds> prompts, GenerateOptions options, const ModelInfo& info);
  Request(std::span<const TokenIds> prompts, const ExploreOptions& options, const ModelInfo& info);

  std::span<const TokenIds> prompts() const { return prompts_; }
  const GenerateOptions& options() const { return options_; }
  const ModelInfo& info() const { return info_; }

  // Why a prompt cannot be run; empty if it can.
  std::string obstacle_of(std::size_t prompt) const;
  // Whether an answer is wanted.
  bool is_open(std::size_t prompt) const;
  bool is_open(const PrefixSequence& sequence) const;
  int n_new_tokens(std::size_t prompt) const;
  // The most that one of its prompts wants, answered or not: what a call that takes up an
  // interrupted one computes must not depend on what is missing.
  int n_new_tokens(const PrefixSequence& sequence) const;
  // None but in a call of explore().
  Reach reach(std::size_t prompt) const;
  // Tokens behind its prompt that memory must have room for. Equal prompts are answered together,
  // and explored one by one.
  std::int64_t n_behind(const PrefixSequence& sequence) const;
  // Positions behind the prompt that are computed, at most.
  std::int64_t depth(std::size_t prompt) const;

 private:
  void check() const;
  void check_watched(TokenId id) const;

  std::span<const TokenIds> prompts_;
  GenerateOptions options_;
  const ModelInfo& info_;
  std::vector<Reach> reach_;  // of explore(): [n_prompts] or [1]; else empty
};

}  // namespace labelprobe::model
