// Which keys the rows of a pass see, in terms of the prefix tree and of the arena's rows: of a pack
// of nodes, and of a step of sequences that generate. Knows nothing of tensors: the engine computes
// by it, and cost counts by it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/attention/key_segment.h"
#include "model/engine/prefix_tree.h"

namespace labelprobe::model {

// Every node's rows see themselves causally and each ancestor whole.
//   node_rows  by node, where the arena has its first token; the others follow
std::vector<KeySegment> pack_segments(const PrefixTree& tree,
                                      const PackedNodes& pack,
                                      std::span<const std::int64_t> node_rows);

// The next tokens of a member of a batch.
struct Continuation {
  int member = 0;                   // by its place in the batch
  std::int64_t n_before = 0;        // generated tokens whose keys and values are there already
  std::span<const TokenId> tokens;  // those after them; never empty
};

enum class Repeats { No, Yes };

// Sequences that generate together, and the rows of their steps.
class StepSegments {
 public:
  struct Member {
    std::int64_t n_prompt_tokens = 0;
    std::int64_t first_row = 0;  // of its generated tokens, in the arena
    std::int64_t n_rows = 0;
  };

  // None.
  StepSegments() = default;

  // Sequences `first` and on. Sequence first + i takes at most n_rows[i] tokens, and none if it
  // never takes part in a step.
  //   node_rows  as of pack_segments(), of the nodes of their prompts
  //   first_row  of the arena, from which on it has the generated tokens, one member's after the
  //              other's
  StepSegments(const PrefixTree& tree,
               std::span<const std::int64_t> node_rows,
               int first,
               std::span<const std::int64_t> n_rows,
               std::int64_t first_row);

  const std::vector<Member>& members() const { return members_; }

  // Gives the tokens of the next step their rows, one continuation's after the other's; members
  // ascend. Returns how many there are.
  std::int64_t place(std::span<const Continuation> continuations);
  // The first of a member's rows of the step.
  std::int64_t step_row(int member) const { return first_step_rows_[member]; }

  // What the rows of the step see. Where it is to be repeated, all continuations are of one token.
  void append(std::span<const Continuation> continuations,
              Repeats repeats,
              std::vector<KeySegment>& segments) const;

 private:
  struct PromptPart {
    std::int64_t first_key = 0;
    std::int64_t n_keys = 0;
    std::int64_t first_position = 0;
    int first_member = 0;
    int end_member = 0;
  };
  void find_prompt_parts(const PrefixTree& tree,
                         std::span<const std::int64_t> node_rows,
                         int first);

  std::vector<Member> members_;
  std::vector<PromptPart> prompt_parts_;
  std::vector<std::int64_t> first_step_rows_;  // by member, and one more
};

}  // namespace labelprobe::model
