#include "readout/answers/inquiry.h"

#include "labelprobe/core/error.h"

namespace labelprobe::readout {

Access Asker::need(int node) {
  const Access access = tree_.need(node);
  if (access == Access::Refused) return access;
  const auto at = static_cast<std::size_t>(node);
  if (is_used_.size() <= at) is_used_.resize(at + 1, false);
  if (!is_used_[at]) ++n_nodes_;
  is_used_[at] = true;
  return access;
}

std::int64_t Asker::n_extra() const {
  std::int64_t n = n_nodes_;
  for (const int node : greedy_.nodes()) {
    const auto at = static_cast<std::size_t>(node);
    if (at < is_used_.size() && is_used_[at]) --n;
  }
  return n;
}

double prob_of(const AnswerTree::Node& node, TokenId token) {
  for (const Move& move : node.moves) {
    if (move.token == token) return move.prob;
  }
  return 0.0;
}

record::LabelValues with_names(const AnswerFormat& format, const std::vector<double>& numbers) {
  LABELPROBE_CHECK(numbers.size() == format.labels.size());
  record::LabelValues named;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    named.emplace_back(format.labels[i].name, numbers[i]);
  }
  return named;
}

}  // namespace labelprobe::readout
