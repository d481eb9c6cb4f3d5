// The LanguageModel of this room: puts prompts into a tree of prefixes, computes it chunk by chunk
// and decodes each chunk together.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "labelprobe/model/language_model.h"

#include "decoder.h"
#include "prefix_tree.h"

namespace labelprobe::model {

class ChunkPlan;
class PrefixCache;
class SequenceState;

// Fixed numbers, so that chunks, and with them the last bits of results, do not depend on what else
// the machine is doing; only where memory is short do they shrink.
struct Limits {
  int rows_per_pack = 0;        // tokens that go through the layers together
  int sequences_per_chunk = 0;  // answers of several tokens that are decoded together
  std::size_t chunk_bytes = 0;  // keys, values and logits of a chunk
};
Limits limits_of(const c10::Device& device);

class Engine : public LanguageModel {
 public:
  Engine(Decoder decoder, ModelInfo info, Limits limits);

  void generate(std::span<const TokenIds> prompts,
                const GenerateOptions& options,
                const GenerationSink& sink) override;
  const ModelInfo& info() const override { return info_; }
  Effort effort() const override { return effort_; }

 private:
  int chunk_end(const PrefixTree& tree, int first, const GenerateOptions& options) const;
  at::Tensor prefill(const ChunkPlan& plan, PrefixCache& cache);
  void take_steps(const at::Tensor& hidden,
                  std::span<const std::int64_t> rows,
                  std::span<SequenceState> states,
                  const GenerateOptions& options);
  std::vector<SequenceState> run_chunk(const PrefixTree& tree,
                                       const ChunkPlan& plan,
                                       PrefixCache& cache,
                                       const GenerateOptions& options);

  Decoder decoder_;
  ModelInfo info_;
  Limits limits_;
  Effort effort_;
};

}  // namespace labelprobe::model
