// How much an engine does at once: the packs and chunks that a call is cut into. Fixed numbers, so
// that chunks do not depend on what else the machine is doing; only where memory is short do they
// shrink. Knows nothing of tensors: the engine cuts by it, and cost counts by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/engine/memory_budget.h"
#include "model/engine/prefix_tree.h"
#include "model/engine/request.h"

namespace labelprobe::model {

// When the host reads a step's tokens. During the next step the device never waits for it; the
// tokens that sequences choose after their end are dropped.
enum class Reading { BeforeNextStep, DuringNextStep };

struct Limits {
  int rows_per_pack = 0;        // tokens that go through the layers together
  int sequences_per_chunk = 0;  // answers of several tokens that are decoded together
  std::size_t chunk_bytes = 0;  // keys and values of a chunk
  int rows_per_step = 0;        // steps of fewer rows are filled with drafted tokens
  Reading reading = Reading::BeforeNextStep;
};

// On the CPU matrix products are nearly as fast with 128 rows as with more, and small chunks report
// early.
inline constexpr Limits kCpuLimits = {1024, 128, std::size_t{4} << 30, 24};
inline constexpr Limits kGpuLimits = {8192, 512, std::size_t{16} << 30, 256,
                                      Reading::DuringNextStep};

// Rows that reach the head together: their logits are as wide as the vocabulary.
inline constexpr std::int64_t kRowsPerHead = 256;

// Recording takes the host about as long as queueing a step twice: it is for sequences that have
// gone on together for a while, and may go on for a while.
inline constexpr int kRepeatsBeforeRecording = 1;
inline constexpr int kFewestRecordedSteps = 4;

// Whether the device may take the next step before the host has read the last one. The host must
// know each token first where it changes the logits, or drafts: that spares more where at least
// one drafted token fits for each sequence.
//   n_live         sequences that are not finished
//   rows_per_step  as of Limits
bool may_run_ahead(const GenerateOptions& options,
                   Reading reading,
                   std::int64_t rows_per_step,
                   std::int64_t n_live);

// What the arena would hold if all prompts and answers were kept.
std::int64_t n_rows_of_all(const PrefixTree& tree, const Request& request);

// Whose memory is divided.
struct DecoderMemory {
  const weights::DecoderConfig& config;
  std::size_t bytes_per_number = 0;  // of activations, keys and values
  bool is_gpu = false;
  std::size_t n_free = 0;  // beside the weights; 0 = not known
  int n_layers = 0;        // whose keys and values it holds; 0 = of all
};
MemoryBudget budget_of(const Request& request,
                       std::span<const std::size_t> prompts,
                       const Limits& limits,
                       const DecoderMemory& memory);

// The chunk that begins at `first`: as many sequences as were asked for, or as fit the limits.
//   n_most  sequences, where a batch size was asked for and memory is short
int chunk_end(const PrefixTree& tree,
              const Request& request,
              int first,
              const Limits& limits,
              int n_most,
              const MemoryBudget& budget);

}  // namespace labelprobe::model
