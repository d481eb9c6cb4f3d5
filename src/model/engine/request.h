// One call of generate(): its prompts and options, checked, and what they mean for one prompt.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "labelprobe/model/language_model.h"

#include "model/engine/prefix_tree.h"

namespace labelprobe::model {

class Request {
 public:
  // All must outlive it. Throws ConfigError for options that make no sense.
  Request(std::span<const TokenIds> prompts, const GenerateOptions& options, const ModelInfo& info);

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

 private:
  std::span<const TokenIds> prompts_;
  const GenerateOptions& options_;
  const ModelInfo& info_;
};

}  // namespace labelprobe::model
