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

class PrefixCache;

class Engine : public LanguageModel {
 public:
  Engine(Decoder decoder, ModelInfo info);

  void generate(std::span<const TokenIds> prompts,
                const GenerateOptions& options,
                const GenerationSink& sink) override;
  const ModelInfo& info() const override { return info_; }
  Effort effort() const override { return effort_; }

 private:
  int chunk_end(const PrefixTree& tree, int first, const GenerateOptions& options) const;
  at::Tensor prefill(const PrefixTree& tree, PrefixCache& cache, int first, int end);
  std::vector<Generation> run_chunk(const PrefixTree& tree,
                                    PrefixCache& cache,
                                    int first,
                                    int end,
                                    const GenerateOptions& options);

  Decoder decoder_;
  ModelInfo info_;
  Effort effort_;
};

}  // namespace labelprobe::model
