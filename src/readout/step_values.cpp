#include "readout/step_values.h"

#include <algorithm>

#include "labelprobe/core/error.h"

namespace labelprobe::readout {

std::vector<float> logits_at(const model::Step& step,
                             const TokenIds& watched,
                             const TokenIds& first_tokens) {
  LABELPROBE_CHECK(step.watched_logits.size() == watched.size());
  std::vector<float> logits;
  for (const TokenId token : first_tokens) {
    const auto found = std::lower_bound(watched.begin(), watched.end(), token);
    LABELPROBE_CHECK(found != watched.end() && *found == token);
    logits.push_back(step.watched_logits[static_cast<std::size_t>(found - watched.begin())]);
  }
  return logits;
}

record::LabelValues with_names(const std::vector<std::string>& names,
                               const std::vector<float>& numbers) {
  record::LabelValues values;
  for (std::size_t i = 0; i < names.size(); ++i) {
    values.emplace_back(names[i], numbers[i]);
  }
  return values;
}

record::LabelValues uniform_scores(const std::vector<std::string>& names) {
  return with_names(names,
                    std::vector<float>(names.size(), 1.0F / static_cast<float>(names.size())));
}

}  // namespace labelprobe::readout
