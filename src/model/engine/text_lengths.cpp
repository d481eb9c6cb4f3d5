#include "model/engine/text_lengths.h"

#include <fmt/format.h>

namespace labelprobe::model {
namespace {

std::int64_t n_tokens(const Request& request, std::size_t prompt) {
  return static_cast<std::int64_t>(request.prompts()[prompt].size());
}

}  // namespace

std::vector<PromptsOfLength> by_length(const Request& request,
                                       const std::vector<std::size_t>& prompts,
                                       std::int64_t n_original) {
  PromptsOfLength original;
  PromptsOfLength beyond{weights::TextLength::Beyond, {}};
  for (const std::size_t prompt : prompts) {
    const bool is_beyond = n_original > 0 && n_tokens(request, prompt) > n_original;
    (is_beyond ? beyond : original).prompts.push_back(prompt);
  }
  std::vector<PromptsOfLength> kinds;
  for (PromptsOfLength* kind : {&original, &beyond}) {
    if (!kind->prompts.empty()) kinds.push_back(std::move(*kind));
  }
  return kinds;
}

std::string length_obstacle(const Request& request, std::size_t prompt, std::int64_t n_original) {
  const std::int64_t n = n_tokens(request, prompt);
  if (n_original == 0 || n > n_original || n + request.depth(prompt) <= n_original) return {};
  return fmt::format(
      "the prompt has {} tokens and {} new ones were asked for: with them the text would pass the "
      "{} positions up to which the model turns positions by its short factors (longrope); a "
      "prompt that is longer than that can be run, or fewer new tokens be asked for",
      n, request.depth(prompt) + 1, n_original);
}

}  // namespace labelprobe::model
