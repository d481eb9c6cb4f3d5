// Runs a LanguageModel and puts its answers in the order of the prompts.
#pragma once

#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "labelprobe/model/language_model.h"

namespace labelprobe::support {

inline std::vector<model::Generation> generate_all(model::LanguageModel& language_model,
                                                   std::span<const TokenIds> prompts,
                                                   const model::GenerateOptions& options) {
  std::vector<model::Generation> answers(prompts.size());
  std::vector<int> n_times(prompts.size());
  language_model.generate(prompts, options, [&](auto batch) {
    for (auto& [i, generation] : batch) {
      ++n_times.at(i);
      answers[i] = std::move(generation);
    }
  });
  for (const int n : n_times) {
    if (n != 1) throw std::logic_error("a prompt was answered " + std::to_string(n) + " times");
  }
  return answers;
}

}  // namespace labelprobe::support
