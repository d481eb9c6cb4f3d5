#include "model/engine/prompt_reader.h"

#include <algorithm>

#include <ATen/Functions.h>

#include "labelprobe/core/error.h"

#include "model/engine/limits.h"
#include "model/engine/step_reader.h"
#include "weights/device/send.h"

namespace labelprobe::model {

PromptReader::PromptReader(const Decoder& decoder, const PrefixTree& tree)
    : decoder_(decoder),
      tree_(tree),
      nodes_(tree.nodes().size()),
      first_tokens_(tree.nodes().size()) {
  for (const PrefixNode& node : tree.nodes()) {
    if (node.parent >= 0) first_tokens_[node.parent].push_back(tree.tokens(node).front());
  }
}

std::vector<PromptReader::Wanted> PromptReader::wanted_of(const PackedNodes& pack) {
  std::vector<Wanted> wanted;
  for (std::size_t n = 0; n < pack.nodes.size(); ++n) {
    const std::span<const TokenId> tokens = tree_.tokens(tree_.nodes()[pack.nodes[n]]);
    Node& node = nodes_[pack.nodes[n]];
    node.log_sum_exps.resize(tokens.size());
    node.logits.resize(tokens.size() - 1);
    const std::int64_t first_row = pack.first_rows[n];
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      wanted.push_back({first_row + static_cast<std::int64_t>(i), tokens[i + 1], &node.logits[i]});
    }
    for (const TokenId token : first_tokens_[pack.nodes[n]]) {
      wanted.push_back({first_row + static_cast<std::int64_t>(tokens.size()) - 1, token,
                        &node.next_ones[token]});
    }
  }
  return wanted;
}

void PromptReader::read(const PackedNodes& pack, const at::Tensor& hidden) {
  const std::vector<Wanted> wanted = wanted_of(pack);
  std::vector<float> log_sum_exps;
  std::size_t next = 0;
  for (std::int64_t first = 0; first < hidden.size(0); first += kRowsPerHead) {
    const std::int64_t n = std::min(kRowsPerHead, hidden.size(0) - first);
    const at::Tensor logits = decoder_.logits(hidden.narrow(0, first, n));
    for (const StepReading& reading : read_step(logits, {}, 0)) {
      log_sum_exps.push_back(reading.step.log_sum_exp);
    }
    std::vector<std::int64_t> places;
    const std::size_t begin = next;
    for (; next < wanted.size() && wanted[next].row < first + n; ++next) {
      places.push_back((wanted[next].row - first) * logits.size(1) + wanted[next].token);
    }
    const at::Tensor found = logits.take(weights::send(places, logits.device())).cpu();
    for (std::size_t i = begin; i < next; ++i) {
      *wanted[i].logit = found.const_data_ptr<float>()[i - begin];
    }
  }
  for (std::size_t n = 0; n < pack.nodes.size(); ++n) {
    std::vector<float>& of_node = nodes_[pack.nodes[n]].log_sum_exps;
    const auto first = log_sum_exps.begin() + pack.first_rows[n];
    std::copy(first, first + static_cast<std::ptrdiff_t>(of_node.size()), of_node.begin());
  }
}

std::vector<PromptToken> PromptReader::tokens(const PrefixSequence& sequence) const {
  std::vector<int> path;
  for (int i = sequence.last_node; i >= 0; i = tree_.nodes()[i].parent) path.push_back(i);
  std::reverse(path.begin(), path.end());
  std::vector<PromptToken> tokens;
  float log_sum_exp = 0.0F;  // behind the token before
  for (std::size_t p = 0; p < path.size(); ++p) {
    const PrefixNode& node = tree_.nodes()[path[p]];
    const Node& read = nodes_[path[p]];
    if (p > 0) {
      const TokenId first = tree_.tokens(node).front();
      tokens.push_back({nodes_[path[p - 1]].next_ones.at(first), log_sum_exp});
    }
    const int n_tokens = tree_.n_tokens_of(node, sequence);
    for (int i = 1; i < n_tokens; ++i)
      tokens.push_back({read.logits[i - 1], read.log_sum_exps[i - 1]});
    log_sum_exp = read.log_sum_exps[n_tokens - 1];
  }
  return tokens;
}

}  // namespace labelprobe::model
