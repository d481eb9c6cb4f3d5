#include "model/engine/limits.h"

#include <algorithm>

#include "model/attention/attention_plan.h"
#include "model/engine/logit_rules.h"

namespace labelprobe::model {
namespace {

// A chunk of prompts that are only looked at ends after this many packs.
constexpr std::int64_t kPacksPerChunk = 4;

// Tokens of the longest of these prompts with its answer.
std::int64_t longest_sequence(const Request& request, std::span<const std::size_t> prompts) {
  std::int64_t n_most = 0;
  for (const std::size_t i : prompts) {
    const auto n_prompt = static_cast<std::int64_t>(request.prompts()[i].size());
    n_most = std::max<std::int64_t>(n_most,
                                    n_prompt + request.n_new_tokens(i) + request.reach(i).n_places);
  }
  return n_most;
}

}  // namespace

bool may_run_ahead(const GenerateOptions& options,
                   Reading reading,
                   std::int64_t rows_per_step,
                   std::int64_t n_live) {
  const bool drafts = options.draft && 2 * n_live <= rows_per_step;
  return reading == Reading::DuringNextStep && !drafts && !options.keep_logits &&
         changes_nothing(options.rules);
}

std::int64_t n_rows_of_all(const PrefixTree& tree, const Request& request) {
  std::int64_t n = 0;
  for (const PrefixNode& node : tree.nodes()) n += node.n_tokens;
  for (const PrefixSequence& sequence : tree.sequences()) n += request.n_behind(sequence);
  return n;
}

MemoryBudget budget_of(const Request& request,
                       std::span<const std::size_t> prompts,
                       const Limits& limits,
                       const DecoderMemory& memory) {
  const std::int64_t n_longest = longest_sequence(request, prompts);
  const std::int64_t n_parts =
      memory.is_gpu ? (n_longest + cuda::kPositionsPerPart - 1) / cuda::kPositionsPerPart : 0;
  const std::int64_t n_head_rows = memory.is_gpu ? kRowsPerHead : 0;
  weights::DecoderConfig held = memory.config;
  if (memory.n_layers > 0) held.n_layers = memory.n_layers;
  return divide_memory(
      memory.n_free, memory_needs(held, memory.bytes_per_number, n_parts, n_head_rows),
      {limits.rows_per_pack, limits.sequences_per_chunk, limits.chunk_bytes}, n_longest);
}

int chunk_end(const PrefixTree& tree,
              const Request& request,
              int first,
              const Limits& limits,
              int n_most,
              const MemoryBudget& budget) {
  const GenerateOptions& options = request.options();
  const int n_sequences = static_cast<int>(tree.sequences().size());
  if (options.batch_size > 0) {
    return std::min(n_sequences, first + std::min(n_most, options.batch_size));
  }
  std::size_t n_logit_bytes = 0;
  std::int64_t n_rows = 0;
  std::int64_t n_arena_rows = 0;
  int n_decoded = 0;
  int end = first;
  for (; end < n_sequences; ++end) {
    const auto n_prompt = static_cast<std::int64_t>(tree.prompt(tree.sequences()[end]).size());
    const std::int64_t n_new = n_prompt - (end > first ? tree.n_common(end) : 0);
    const int n_generated = request.n_new_tokens(tree.sequences()[end]);
    n_rows += n_new;
    const std::int64_t n_behind = request.n_behind(tree.sequences()[end]);
    n_arena_rows += n_new + n_behind;
    n_decoded += n_behind > 1;
    if (options.keep_logits) {
      n_logit_bytes += sizeof(float) * static_cast<std::size_t>(n_generated) *
                       static_cast<std::size_t>(request.info().vocab_size);
    }
    if (end > first && (n_arena_rows + kSparePacks * budget.rows_per_pack > budget.arena_rows ||
                        n_logit_bytes > limits.chunk_bytes || n_decoded > budget.rows_per_step ||
                        n_rows > kPacksPerChunk * limits.rows_per_pack)) {
      break;
    }
  }
  return end;
}

}  // namespace labelprobe::model
