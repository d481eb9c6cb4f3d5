#include "engine.h"

#include <algorithm>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ATen/Functions.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include "labelprobe/core/error.h"

#include "chunk_plan.h"
#include "decode_batch.h"
#include "device.h"
#include "prefix_cache.h"
#include "sequence_state.h"

namespace labelprobe::model {
namespace {

// On the CPU matrix products are nearly as fast with 128 rows as with more, and small chunks report
// early.
constexpr Limits kCpuLimits = {1024, 128, std::size_t{4} << 30};
constexpr Limits kGpuLimits = {8192, 512, std::size_t{16} << 30};

// A chunk of prompts that are only looked at ends after this many packs.
constexpr std::int64_t kPacksPerChunk = 4;

// Rows that reach the head together: their logits are as wide as the vocabulary.
constexpr std::int64_t kRowsPerHead = 256;

// Decoding goes on with rows of finished sequences until they are one in this many: letting them go
// copies the keys and values of all others.
constexpr std::int64_t kMaxFinishedShare = 8;

int n_new_tokens_of(const GenerateOptions& options, std::size_t prompt) {
  return options.n_new_tokens.empty() ? options.stop.max_new_tokens : options.n_new_tokens[prompt];
}

// A sequence goes on for the prompt that wants most, answered or not: what a call that takes up an
// interrupted one computes must not depend on what is missing.
int n_new_tokens_of(const GenerateOptions& options, const PrefixSequence& sequence) {
  int n_most = 0;
  for (const std::size_t i : sequence.prompts) {
    n_most = std::max(n_most, n_new_tokens_of(options, i));
  }
  return n_most;
}

// Why a prompt cannot be run; empty if it can.
std::string check_prompt(const TokenIds& prompt, int n_new_tokens, const ModelInfo& info) {
  if (prompt.empty()) return "the prompt is empty; expected at least one token";
  const auto bad = std::find_if(prompt.begin(), prompt.end(),
                                [&](TokenId id) { return id < 0 || id >= info.vocab_size; });
  if (bad != prompt.end()) {
    return "token " + std::to_string(*bad) + " at position " +
           std::to_string(bad - prompt.begin()) + " of the prompt is not in the vocabulary of " +
           std::to_string(info.vocab_size);
  }
  const std::int64_t n_needed = static_cast<std::int64_t>(prompt.size()) + n_new_tokens - 1;
  if (n_needed > info.max_context) {
    return "the prompt has " + std::to_string(prompt.size()) + " tokens and " +
           std::to_string(n_new_tokens) +
           " new ones were asked for, but the model's "
           "context has " +
           std::to_string(info.max_context) + " positions";
  }
  return {};
}

void check_options(const GenerateOptions& options, std::size_t n_prompts, const ModelInfo& info) {
  LABELPROBE_CHECK(options.is_answered.empty() || options.is_answered.size() == n_prompts);
  if (options.stop.max_new_tokens < 1) {
    throw ConfigError("max_new_tokens is " + std::to_string(options.stop.max_new_tokens) +
                      "; expected at least 1");
  }
  LABELPROBE_CHECK(options.n_new_tokens.empty() || options.n_new_tokens.size() == n_prompts);
  for (std::size_t i = 0; i < options.n_new_tokens.size(); ++i) {
    const int n = options.n_new_tokens[i];
    if (n < 1 || n > options.stop.max_new_tokens) {
      throw ConfigError("n_new_tokens of prompt " + std::to_string(i) + " is " + std::to_string(n) +
                        "; expected 1 to max_new_tokens, which is " +
                        std::to_string(options.stop.max_new_tokens));
    }
  }
  if (!(options.repetition_penalty > 0)) {
    throw ConfigError("repetition_penalty is " + std::to_string(options.repetition_penalty) +
                      "; expected a number above 0");
  }
  for (const TokenId id : options.watched) {
    if (id < 0 || id >= info.vocab_size) {
      throw ConfigError("watched token " + std::to_string(id) + " is not in the vocabulary of " +
                        std::to_string(info.vocab_size));
    }
  }
}

bool is_open(const GenerateOptions& options, std::size_t prompt) {
  return options.is_answered.empty() || !options.is_answered[prompt];
}

bool has_open_prompt(const PrefixTree& tree, int first, int end, const GenerateOptions& options) {
  for (int i = first; i < end; ++i) {
    for (const std::size_t prompt : tree.sequences()[i].prompts) {
      if (is_open(options, prompt)) return true;
    }
  }
  return false;
}

}  // namespace

Limits limits_of(const c10::Device& device) {
  return device.is_cpu() ? kCpuLimits : kGpuLimits;
}

Engine::Engine(Decoder decoder, ModelInfo info, Limits limits)
    : decoder_(std::move(decoder)), info_(std::move(info)), limits_(limits) {}

void Engine::generate(std::span<const TokenIds> prompts,
                      const GenerateOptions& options,
                      const GenerationSink& sink) {
  check_options(options, prompts.size(), info_);
  const c10::InferenceMode no_gradients;
  const c10::DeviceGuard on_device(decoder_.device());
  std::vector<std::size_t> chosen;
  std::vector<std::pair<std::size_t, Generation>> results;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::string failure = check_prompt(prompts[i], n_new_tokens_of(options, i), info_);
    if (failure.empty()) {
      chosen.push_back(i);
      if (is_open(options, i)) {
        effort_.n_prompt_tokens += static_cast<std::int64_t>(prompts[i].size());
      }
    } else if (is_open(options, i)) {
      results.emplace_back(i, Generation{}).second.failure = std::move(failure);
    }
  }
  if (!results.empty()) sink(results);

  const PrefixTree tree(prompts, chosen, options.share_prefixes ? Sharing::Prefixes : Sharing::None,
                        limits_.rows_per_pack);
  ChunkPlan plan(tree, limits_.rows_per_pack);
  PrefixCache cache(decoder_, tree);
  const int n_sequences = static_cast<int>(tree.sequences().size());
  int most = n_sequences;
  for (int first = 0; first < n_sequences;) {
    const int end = std::min(chunk_end(tree, first, options), first + most);
    plan.add(end);
    if (!has_open_prompt(tree, first, end, options)) {
      first = end;
      continue;
    }
    std::vector<SequenceState> answers;
    bool is_short_of_memory = false;
    try {
      answers = run_chunk(tree, plan, cache, options);
    } catch (const c10::Error& error) {
      if (!is_out_of_memory(error)) {
        throw ModelError(std::string("libtorch failed: ") + error.what_without_backtrace());
      }
      is_short_of_memory = true;
    } catch (const std::bad_alloc&) {
      is_short_of_memory = true;
    }
    if (is_short_of_memory) {
      if (end - first == 1) {
        throw ModelError("out of memory on " + info_.device +
                         " with a single prompt; use a smaller model or --model-dtype bfloat16");
      }
      most = (end - first) / 2;
      ++effort_.n_batches_halved;
      plan.drop_last();
      cache = PrefixCache(decoder_, tree);
      continue;
    }
    results.clear();
    for (int i = first; i < end; ++i) {
      for (const std::size_t prompt : tree.sequences()[i].prompts) {
        if (!is_open(options, prompt)) continue;
        results.emplace_back(prompt,
                             answers[i - first].generation(n_new_tokens_of(options, prompt)));
      }
    }
    sink(results);
    for (std::size_t node = 0; node < tree.nodes().size(); ++node) {
      if (tree.nodes()[node].end_sequence <= end) cache.forget(static_cast<int>(node));
    }
    first = end;
  }
}

// The chunk that begins at `first`: as many sequences as were asked for, or as fit the limits.
int Engine::chunk_end(const PrefixTree& tree, int first, const GenerateOptions& options) const {
  const int n_sequences = static_cast<int>(tree.sequences().size());
  if (options.batch_size > 0) return std::min(n_sequences, first + options.batch_size);
  std::size_t n_allowed = limits_.chunk_bytes;
  if (const std::size_t n_free = free_bytes(decoder_.device())) {
    n_allowed = std::min(n_allowed, n_free / 2);
  }
  std::size_t n_bytes = 0;
  std::int64_t n_rows = 0;
  int n_decoded = 0;
  int end = first;
  for (; end < n_sequences; ++end) {
    const std::size_t n_prompt = tree.prompt(tree.sequences()[end]).size();
    const std::size_t n_new = n_prompt - (end > first ? tree.n_common(end) : 0);
    const int n_generated = n_new_tokens_of(options, tree.sequences()[end]);
    n_rows += static_cast<std::int64_t>(n_new);
    n_decoded += n_generated > 1;
    // Its part of the prefix cache, the copy beside its generated tokens, and its logits.
    const std::size_t n_logit_rows =
        (end - first < kRowsPerHead ? 2 : 0) + (options.keep_logits ? n_generated : 0);
    n_bytes += (2 * n_new + n_generated) * info_.cache_bytes_per_token +
               n_logit_rows * info_.vocab_size * sizeof(float);
    if (end > first && (n_bytes > n_allowed || n_decoded > limits_.sequences_per_chunk ||
                        n_rows > kPacksPerChunk * limits_.rows_per_pack)) {
      break;
    }
  }
  return end;
}

// Computes what the cache lacks of the chunk's paths; returns the hidden state of the last token of
// each prompt, [n_sequences, C].
at::Tensor Engine::prefill(const ChunkPlan& plan, PrefixCache& cache) {
  const auto is_there = [&](int node) { return cache.has(node); };
  for (const PackedNodes* pack : plan.missing_packs(is_there)) {
    cache.compute(*pack);
    effort_.n_prompt_tokens_computed += pack->n_rows;
  }
  return cache.take_last_hidden(plan.first_sequence(), plan.end_sequence());
}

// Gives every unfinished sequence its token from the hidden states [n, C] of a step.
void Engine::take_steps(const at::Tensor& hidden,
                        std::span<const std::int64_t> rows,
                        std::span<SequenceState> states,
                        const GenerateOptions& options) {
  for (std::int64_t first = 0; first < hidden.size(0); first += kRowsPerHead) {
    const std::int64_t n = std::min(kRowsPerHead, hidden.size(0) - first);
    take_step(decoder_.logits(hidden.narrow(0, first, n)), rows.subspan(first, n), states, options);
  }
}

std::vector<SequenceState> Engine::run_chunk(const PrefixTree& tree,
                                             const ChunkPlan& plan,
                                             PrefixCache& cache,
                                             const GenerateOptions& options) {
  const int first = plan.first_sequence();
  std::vector<SequenceState> states;
  int n_most = 0;
  for (int i = first; i < plan.end_sequence(); ++i) {
    const PrefixSequence& sequence = tree.sequences()[i];
    const int n_new_tokens = n_new_tokens_of(options, sequence);
    n_most = std::max(n_most, n_new_tokens);
    states.emplace_back(tree.prompt(sequence), n_new_tokens, options);
  }
  at::Tensor hidden = prefill(plan, cache);
  std::vector<std::int64_t> rows(states.size());  // row of the batch -> sequence
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  std::optional<DecodeBatch> batch;
  while (true) {
    take_steps(hidden, rows, states, options);
    std::vector<std::int64_t> live;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (!states[rows[row]].is_finished()) live.push_back(static_cast<std::int64_t>(row));
    }
    if (live.empty()) break;
    const auto n_finished = static_cast<std::int64_t>(rows.size() - live.size());
    if (!batch || n_finished * kMaxFinishedShare >= static_cast<std::int64_t>(rows.size())) {
      if (batch) batch->keep(live);
      for (std::size_t i = 0; i < live.size(); ++i) rows[i] = rows[live[i]];
      rows.resize(live.size());
    }
    if (!batch) {
      std::vector<int> sequences;
      for (const std::int64_t i : rows) sequences.push_back(first + static_cast<int>(i));
      batch.emplace(decoder_, tree, cache, sequences, n_most - 1);
    }
    TokenIds newest;
    for (const std::int64_t i : rows) newest.push_back(states[i].newest());
    hidden = batch->step(newest);
  }
  for (const SequenceState& state : states) effort_.n_generated_tokens += state.n_generated();
  return states;
}

}  // namespace labelprobe::model
