#include "model/engine/segments.h"

#include <algorithm>

namespace labelprobe::model {

std::vector<KeySegment> pack_segments(const PrefixTree& tree,
                                      const PackedNodes& pack,
                                      std::span<const std::int64_t> node_rows) {
  std::vector<KeySegment> segments;
  for (const AncestorRows& ancestor : ancestor_rows(tree, pack)) {
    const PrefixNode& node = tree.nodes()[ancestor.node];
    segments.push_back({node_rows[ancestor.node], node.n_tokens, ancestor.first_row,
                        ancestor.end_row, Mask::None, node.first_position});
  }
  for (std::size_t i = 0; i < pack.nodes.size(); ++i) {
    const PrefixNode& node = tree.nodes()[pack.nodes[i]];
    segments.push_back({node_rows[pack.nodes[i]], node.n_tokens, pack.first_rows[i],
                        pack.first_rows[i] + node.n_tokens, Mask::Causal, node.first_position});
  }
  return segments;
}

StepSegments::StepSegments(const PrefixTree& tree,
                           std::span<const std::int64_t> node_rows,
                           int first,
                           std::span<const std::int64_t> n_rows,
                           std::int64_t first_row) {
  for (std::size_t i = 0; i < n_rows.size(); ++i) {
    const PrefixSequence& sequence = tree.sequences()[first + i];
    members_.push_back(
        {static_cast<std::int64_t>(tree.prompt(sequence).size()), first_row, n_rows[i]});
    first_row += n_rows[i];
  }
  find_prompt_parts(tree, node_rows, first);
}

// Each node of the sequences' paths: once for all to which all of it belongs, and once for each
// that ends within it.
void StepSegments::find_prompt_parts(const PrefixTree& tree,
                                     std::span<const std::int64_t> node_rows,
                                     int first) {
  const int end = first + static_cast<int>(members_.size());
  std::vector<bool> is_known(tree.nodes().size());
  for (int s = first; s < end; ++s) {
    if (members_[s - first].n_rows == 0) continue;
    const PrefixSequence& sequence = tree.sequences()[s];
    for (int i = sequence.last_node; i >= 0; i = tree.nodes()[i].parent) {
      const PrefixNode& node = tree.nodes()[i];
      const int n_tokens = tree.n_tokens_of(node, sequence);
      if (n_tokens < node.n_tokens) {
        prompt_parts_.push_back(
            {node_rows[i], n_tokens, node.first_position, s - first, s - first + 1});
      } else if (is_known[i]) {
        break;  // and so are its ancestors
      } else {
        is_known[i] = true;
        prompt_parts_.push_back({node_rows[i], n_tokens, node.first_position,
                                 std::max(first, tree.first_whole_sequence(node)) - first,
                                 std::min(end, node.end_sequence) - first});
      }
    }
  }
}

std::int64_t StepSegments::place(std::span<const Continuation> continuations) {
  first_step_rows_.assign(members_.size() + 1, 0);
  for (const Continuation& next : continuations) {
    first_step_rows_[next.member + 1] = static_cast<std::int64_t>(next.tokens.size());
  }
  for (std::size_t i = 0; i < members_.size(); ++i) first_step_rows_[i + 1] += first_step_rows_[i];
  return first_step_rows_.back();
}

void StepSegments::append(std::span<const Continuation> continuations,
                          Repeats repeats,
                          std::vector<KeySegment>& segments) const {
  for (const PromptPart& part : prompt_parts_) {
    const std::int64_t first_row = first_step_rows_[part.first_member];
    const std::int64_t end_row = first_step_rows_[part.end_member];
    if (first_row == end_row) continue;
    segments.push_back(
        {part.first_key, part.n_keys, first_row, end_row, Mask::None, part.first_position});
  }
  for (const Continuation& next : continuations) {
    const Member& member = members_[next.member];
    const std::int64_t first_key = member.first_row;
    const std::int64_t row = first_step_rows_[next.member];
    const auto n_new = static_cast<std::int64_t>(next.tokens.size());
    if (n_new == 1) {
      const std::int64_t n_keys = next.n_before + 1;
      const std::int64_t n_more = repeats == Repeats::Yes ? member.n_rows - n_keys : 0;
      segments.push_back(
          {first_key, n_keys, row, row + 1, Mask::None, member.n_prompt_tokens, n_more});
      continue;
    }
    if (next.n_before > 0) {
      segments.push_back(
          {first_key, next.n_before, row, row + n_new, Mask::None, member.n_prompt_tokens});
    }
    segments.push_back({first_key + next.n_before, n_new, row, row + n_new, Mask::Causal,
                        member.n_prompt_tokens + next.n_before});
  }
}

}  // namespace labelprobe::model
