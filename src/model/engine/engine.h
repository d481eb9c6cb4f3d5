// The LanguageModel of this room: puts prompts into a tree of prefixes, computes it chunk by chunk
// and decodes each chunk together.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <c10/core/Stream.h>

#include "labelprobe/model/language_model.h"

#include "model/decoder/decoder.h"
#include "model/engine/decode_loop.h"
#include "model/engine/following.h"
#include "model/engine/kv_arena.h"
#include "model/engine/limits.h"
#include "model/engine/memory_budget.h"
#include "model/engine/prefix_tree.h"
#include "model/engine/request.h"
#include "model/engine/step_inputs.h"
#include "weights/device/device.h"
#include "weights/device/step_graph.h"

namespace labelprobe::model {

class ChunkPlan;
class PrefixCache;
class SequenceState;

inline Limits limits_of(const c10::Device& device) {
  return device.is_cpu() ? kCpuLimits : kGpuLimits;
}

class Engine : public LanguageModel {
 public:
  Engine(Decoder decoder, ModelInfo info, Limits limits);
  ~Engine() override { close_together(decoder_); }

  void generate(std::span<const TokenIds> prompts,
                const GenerateOptions& options,
                const GenerationSink& sink) override;
  void explore(std::span<const TokenIds> prompts,
               const ExploreOptions& options,
               Explorer& explorer) override;
  const ModelInfo& info() const override { return info_; }
  Effort effort() const override { return effort_; }

 private:
  class Work;
  class Answers;
  class Explorations;
  void warm_up();
  void run(const Request& request, Work& work);
  void run_prompts(const Request& request, const std::vector<std::size_t>& chosen, Work& work);
  std::vector<std::size_t> runnable_prompts(const Request& request, Work& work);
  int run_chunks(const PrefixTree& tree,
                 const Request& request,
                 int first,
                 const MemoryBudget& budget,
                 Limits& limits,
                 Work& work);
  std::size_t free_bytes() const;
  void open_arena(const PrefixTree& tree, const Request& request, const MemoryBudget& budget);
  void run_chunk(const PrefixTree& tree,
                 const Request& request,
                 const ChunkPlan& plan,
                 PrefixCache& cache,
                 const Limits& limits,
                 Work& work);
  std::vector<SequenceState> decode(const PrefixTree& tree,
                                    const Request& request,
                                    const PrefixCache& cache,
                                    const Limits& limits,
                                    const at::Tensor& hidden,
                                    int first,
                                    int end);
  void halve(Limits& limits, int n_sequences);

  std::deque<weights::GivenBack> given_back_;  // after all that follows has gone
  Decoder decoder_;
  ModelInfo info_;
  Limits limits_;
  Effort effort_;
  std::optional<KvArena> arena_;  // kept from call to call
  StepInputs inputs_;
  // Null where no steps are recorded. Then everything is queued on the current stream, else on one
  // of our own.
  std::unique_ptr<weights::StepGraph> graph_;
  std::optional<c10::Stream> stream_;
};

}  // namespace labelprobe::model
