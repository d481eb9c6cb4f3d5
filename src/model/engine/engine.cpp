#include "model/engine/engine.h"

#include <algorithm>
#include <map>
#include <new>
#include <string>
#include <utility>

#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "model/engine/chunk_plan.h"
#include "model/engine/explore_loop.h"
#include "model/engine/free_memory.h"
#include "model/engine/memory_budget.h"
#include "model/engine/prefix_cache.h"
#include "model/engine/prompt_reader.h"
#include "model/engine/sequence_state.h"
#include "model/engine/text_lengths.h"
#include "model/engine/warm_up.h"
#include "weights/device/cuda_operators.h"
#include "weights/device/device.h"

namespace labelprobe::model {
namespace {

class OutOfMemory : public ModelError {
 public:
  using ModelError::ModelError;
};

}  // namespace

// What can be had on the device that has least. The arena of the last call counts as free: it is
// taken over, or given back for a larger one.
std::size_t Engine::free_bytes() const {
  const std::int64_t n_rows = arena_ ? arena_->n_rows() : 0;
  return free_bytes_for(decoder_, n_rows, info_.cache_bytes_per_token);
}

Engine::Engine(Decoder decoder, ModelInfo info, Limits limits)
    : decoder_(std::move(decoder)),
      info_(std::move(info)),
      limits_(limits),
      inputs_(decoder_.device(), decoder_.is_fast()) {
  for (const c10::Device device : decoder_.placement().devices()) given_back_.emplace_back(device);
  // Products in 8 bits choose their columns on the host, by all rows of a step.
  if (info_.quantization == Quantization::Int8) limits_.reading = Reading::BeforeNextStep;
  if (decoder_.team() != nullptr) limits_.reading = Reading::BeforeNextStep;
  if (decoder_.device().is_cpu()) return;
  // A recorded step is one device's, and asks the host for nothing, as routers do.
  if (limits_.reading == Reading::DuringNextStep && !decoder_.placement().is_divided() &&
      decoder_.config().experts.n == 0) {
    graph_ = weights::make_step_graph();
  }
  if (graph_) stream_ = weights::open_stream(decoder_.device());
  warm_up();
}

void Engine::warm_up() {
  const WarmUp call = make_warm_up(info_);
  try {
    generate(call.prompts, call.options, [](const auto&) {});
  } catch (const OutOfMemory&) {
    // The prompts to come may be shorter.
  }
  effort_ = {};
}

// What is done behind the prompts of a chunk. Where memory runs out it is done again, of fewer
// prompts.
class Engine::Work {
 public:
  virtual ~Work() = default;
  virtual void fail(std::size_t prompt, std::string obstacle) = 0;
  // Before the chunks of a tree.
  virtual void begin(const PrefixTree&) {}
  // Who reads the chunks' packs; null where nobody does.
  virtual PromptReader* reader() { return nullptr; }
  // For sequences first to end, whose last tokens' hidden states are given.
  virtual void run(const PrefixTree& tree,
                   const PrefixCache& cache,
                   const Limits& limits,
                   const at::Tensor& hidden,
                   int first,
                   int end) = 0;
  // Results of the last run(), or of the prompts that failed.
  virtual void deliver() = 0;
};

class Engine::Answers : public Engine::Work {
 public:
  Answers(Engine& engine, const Request& request, const GenerationSink& sink)
      : engine_(engine), request_(request), sink_(sink) {}

  void fail(std::size_t prompt, std::string obstacle) override {
    results_.emplace_back(prompt, Generation{}).second.failure = std::move(obstacle);
  }

  void run(const PrefixTree& tree,
           const PrefixCache& cache,
           const Limits& limits,
           const at::Tensor& hidden,
           int first,
           int end) override {
    const std::vector<SequenceState> states =
        engine_.decode(tree, request_, cache, limits, hidden, first, end);
    for (int i = first; i < end; ++i) {
      for (const std::size_t prompt : tree.sequences()[i].prompts) {
        if (!request_.is_open(prompt)) continue;
        results_.emplace_back(prompt, states[i - first].generation(request_.n_new_tokens(prompt)));
      }
    }
  }

  void deliver() override {
    if (!results_.empty()) sink_(results_);
    results_.clear();
  }

 private:
  Engine& engine_;
  const Request& request_;
  const GenerationSink& sink_;
  std::vector<std::pair<std::size_t, Generation>> results_;
};

class Engine::Explorations : public Engine::Work {
 public:
  Explorations(Engine& engine,
               const Request& request,
               const ExploreOptions& options,
               Explorer& explorer)
      : engine_(engine), request_(request), options_(options), explorer_(explorer) {}

  void fail(std::size_t prompt, std::string obstacle) override {
    results_.push_back({prompt, std::move(obstacle)});
  }

  void begin(const PrefixTree& tree) override {
    if (options_.reads_prompts) reader_.emplace(engine_.decoder_, tree);
  }
  PromptReader* reader() override { return reader_ ? &*reader_ : nullptr; }

  void run(const PrefixTree& tree,
           const PrefixCache& cache,
           const Limits& limits,
           const at::Tensor& hidden,
           int first,
           int end) override {
    std::vector<SequenceState> answers;
    if (options_.greedy) {
      answers = engine_.decode(tree, request_, cache, limits, hidden, first, end);
    }
    std::map<std::size_t, std::string> failures;
    const auto on_begin = [&](std::size_t prompt, int sequence) {
      if (options_.reads_prompts) {
        explorer_.read_prompt(prompt, reader_->tokens(tree.sequences()[sequence]));
      }
      if (!options_.greedy) return;
      const Generation answer = answers[sequence - first].generation(request_.n_new_tokens(prompt));
      if (answer.failure) {
        failures[prompt] = *answer.failure;
      } else {
        explorer_.answer(prompt, answer);
      }
    };
    const auto on_step = [&](std::int64_t n_places) {
      Effort so_far = engine_.effort_;
      so_far.n_places += n_places;
      if (options_.on_work) options_.on_work(so_far);
    };
    ExploreLoop loop(engine_.decoder_, tree, request_, options_, explorer_, *engine_.arena_,
                     engine_.inputs_, limits.rows_per_pack, on_begin, on_step);
    results_ = loop.run(hidden, cache, first, end);
    for (Explored& explored : results_) {
      const auto failure = failures.find(explored.prompt);
      if (failure != failures.end()) explored.failure = failure->second;
    }
    engine_.effort_.n_places += loop.n_places();
  }

  void deliver() override {
    for (const Explored& explored : results_) explorer_.finish(explored.prompt, explored.failure);
    results_.clear();
  }

 private:
  Engine& engine_;
  const Request& request_;
  const ExploreOptions& options_;
  Explorer& explorer_;
  std::optional<PromptReader> reader_;
  std::vector<Explored> results_;
};

void Engine::generate(std::span<const TokenIds> prompts,
                      const GenerateOptions& options,
                      const GenerationSink& sink) {
  const Request request(prompts, options, info_);
  Answers answers(*this, request, sink);
  run(request, answers);
}

void Engine::explore(std::span<const TokenIds> prompts,
                     const ExploreOptions& options,
                     Explorer& explorer) {
  const Request request(prompts, options, info_);
  Explorations explorations(*this, request, options, explorer);
  run(request, explorations);
}

void Engine::run(const Request& request, Work& work) {
  const c10::InferenceMode no_gradients;
  const c10::DeviceGuard on_device(decoder_.device());
  const c10::OptionalStreamGuard on_stream(stream_ ? weights::follow_current_stream(*stream_)
                                                   : stream_);
  for (const PromptsOfLength& texts : by_length(request, runnable_prompts(request, work),
                                                weights::original_length(decoder_.config()))) {
    decoder_.turn_for(texts.length);
    run_prompts(request, texts.prompts, work);
  }
}

void Engine::run_prompts(const Request& request,
                         const std::vector<std::size_t>& chosen,
                         Work& work) {
  const Sharing sharing = request.options().share_prefixes ? Sharing::Prefixes : Sharing::None;
  if (graph_) graph_->try_again();
  Limits limits = limits_;
  int first = 0;
  // Where memory runs out, the sequences are what they were, but in a tree of shorter nodes.
  while (true) {
    const MemoryBudget budget = budget_of(
        request, chosen, limits,
        {decoder_.config(), c10::elementSize(decoder_.scalar_type()), decoder_.device().is_cuda(),
         free_bytes(), decoder_.placement().most_layers(decoder_.config().n_layers)});
    const PrefixTree tree(request.prompts(), chosen, sharing, budget.rows_per_pack);
    if (first == static_cast<int>(tree.sequences().size())) break;
    work.begin(tree);
    first = run_chunks(tree, request, first, budget, limits, work);
  }
}

// Those that can be run; the others are reported.
std::vector<std::size_t> Engine::runnable_prompts(const Request& request, Work& work) {
  const std::int64_t n_original = weights::original_length(decoder_.config());
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < request.prompts().size(); ++i) {
    std::string obstacle = request.obstacle_of(i);
    if (obstacle.empty()) obstacle = length_obstacle(request, i, n_original);
    if (obstacle.empty()) {
      chosen.push_back(i);
      if (request.is_open(i)) {
        effort_.n_prompt_tokens += static_cast<std::int64_t>(request.prompts()[i].size());
      }
    } else if (request.is_open(i)) {
      work.fail(i, std::move(obstacle));
    }
  }
  work.deliver();
  return chosen;
}

// Does the work of the sequences from `first` on; returns the first that is left where memory ran
// out, and halves the limits then.
int Engine::run_chunks(const PrefixTree& tree,
                       const Request& request,
                       int first,
                       const MemoryBudget& budget,
                       Limits& limits,
                       Work& work) {
  const int n_sequences = static_cast<int>(tree.sequences().size());
  ChunkPlan plan(tree, budget.rows_per_pack);
  if (first > 0) plan.add(first);
  std::optional<PrefixCache> cache;
  while (first < n_sequences) {
    const bool is_halved = limits.sequences_per_chunk < limits_.sequences_per_chunk;
    const int n_most = is_halved ? limits.sequences_per_chunk : n_sequences;
    const int end = chunk_end(tree, request, first, limits, n_most, budget);
    plan.add(end);
    const auto begin = tree.sequences().begin();
    if (std::none_of(begin + first, begin + end,
                     [&](const PrefixSequence& sequence) { return request.is_open(sequence); })) {
      first = end;
      continue;
    }
    bool is_short_of_memory = false;
    try {
      if (!cache) {
        open_arena(tree, request, budget);
        cache.emplace(decoder_, tree, *arena_);
      }
      run_chunk(tree, request, plan, *cache, limits, work);
    } catch (const c10::Error& error) {
      if (!weights::is_out_of_memory(error)) {
        throw ModelError(
            decoder_.device().is_cpu()
                ? std::string("libtorch failed: ") + error.what_without_backtrace()
                : weights::describe_failure(decoder_.device(), error.what_without_backtrace()));
      }
      is_short_of_memory = true;
    } catch (const std::bad_alloc&) {
      is_short_of_memory = true;
    }
    if (is_short_of_memory) {
      check_can_go_back(decoder_, info_.device);
      cache.reset();
      arena_.reset();
      if (graph_) graph_->forget();
      // What the limits allow may be far more than there is to keep.
      limits.chunk_bytes =
          std::min(limits.chunk_bytes, static_cast<std::size_t>(n_rows_of_all(tree, request)) *
                                           info_.cache_bytes_per_token);
      halve(limits, end - first);
      return first;
    }
    work.deliver();
    cache->forget_before(end);
    first = end;
  }
  return first;
}

// Not more rows than all prompts fill.
void Engine::open_arena(const PrefixTree& tree,
                        const Request& request,
                        const MemoryBudget& budget) {
  const std::int64_t n_rows = std::min(n_rows_of_all(tree, request), budget.arena_rows);
  if (arena_ && arena_->n_rows() >= n_rows) return;
  model::open_arena(decoder_, n_rows, arena_);
}

// Computes what the cache lacks of the chunk's paths, and does the work behind them.
void Engine::run_chunk(const PrefixTree& tree,
                       const Request& request,
                       const ChunkPlan& plan,
                       PrefixCache& cache,
                       const Limits& limits,
                       Work& work) {
  const int first = plan.first_sequence();
  const int end = plan.end_sequence();
  const auto is_there = [&](int node) { return cache.has(node); };
  for (const PackedNodes* pack : plan.missing_packs(is_there)) {
    cache.compute(*pack, work.reader());
    effort_.n_prompt_tokens_computed += pack->n_rows;
    if (request.options().on_work) request.options().on_work(effort_);
  }
  const at::Tensor hidden = cache.take_last_hidden(first, end);
  cache.forget_before(first);
  work.run(tree, cache, limits, hidden, first, end);
}

// The greedy answers of sequences first to end.
std::vector<SequenceState> Engine::decode(const PrefixTree& tree,
                                          const Request& request,
                                          const PrefixCache& cache,
                                          const Limits& limits,
                                          const at::Tensor& hidden,
                                          int first,
                                          int end) {
  const auto on_step = [&](std::int64_t n_generated) {
    Effort so_far = effort_;
    so_far.n_generated_tokens += n_generated;
    if (request.options().on_work) request.options().on_work(so_far);
  };
  DecodeLoop loop(decoder_, tree, request, *arena_, inputs_, {limits.rows_per_step, limits.reading},
                  graph_.get(), on_step);
  std::vector<SequenceState> states = loop.run(hidden, cache, first, end);
  for (const SequenceState& state : states) effort_.n_generated_tokens += state.n_generated();
  effort_.n_drafted_tokens += loop.n_drafted();
  effort_.n_drafted_kept += loop.n_drafted_kept();
  return states;
}

// After a chunk of `n_sequences` did not fit.
void Engine::halve(Limits& limits, int n_sequences) {
  if (n_sequences == 1 && limits.rows_per_pack <= kFewestRowsPerPack) {
    throw OutOfMemory(
        fmt::format("out of memory on {} with a single prompt; use a smaller model or "
                    "--model-dtype bfloat16",
                    info_.device));
  }
  ++effort_.n_batches_halved;
  limits.rows_per_pack =
      std::min(limits.rows_per_pack, std::max(kFewestRowsPerPack, limits.rows_per_pack / 2));
  limits.sequences_per_chunk = std::max(1, std::min(limits.sequences_per_chunk, n_sequences) / 2);
  limits.chunk_bytes /= 2;
  limits.rows_per_step /= 2;
}

}  // namespace labelprobe::model
