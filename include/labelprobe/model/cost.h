// How long a run takes on a card that need not be here, and what of its memory it fills. Counted
// from the plan that the engine makes of the very prompts: packs, steps, attention items, products,
// launches. Nothing is loaded, and on a card nothing is computed. Answers are counted as if each
// took all the tokens it may. Caller: labelprobe plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/model/language_model.h"
#include "labelprobe/model/open.h"

namespace labelprobe::model {

struct CardName {
  std::string_view name;   // "h200"
  std::string_view title;  // "NVIDIA H200 SXM, 141 GB"
};

// Every card that is known, and last "cpu": this machine, whose rates are measured, which takes a
// second or two.
std::span<const CardName> card_names();

// Whether it names a card, or several of a kind ("h100,h100"); the processor is none.
bool is_card(std::string_view name);

// What inspect() would say about a checkpoint of that shape (weights/making.h).
ModelInfo inspect_shape(const std::string& shape, DType dtype, Quantization quantization);

struct CostQuestion {
  std::string model;        // where locate() found it, or the name of a shape
  OpenOptions options;      // the device is the name of a card, or of several that are alike
  double disk_rate = 0;     // bytes that are read in a second
  std::size_t n_items = 0;  // that are logged
  // How far explorers may go behind each prompt, and about how many places they ask for.
  // No places: there are none.
  Reach reach = {};
  std::int64_t n_places_each = 0;
  // Above 1: so many processes compute the model together, each with one card (together.h). Time
  // and memory are those of the first, which has most; what they send one another takes no time.
  int n_processes = 1;
};

// What one of several processes holds of a model that they compute together.
struct ShareSizes {
  int n_heads = 0;
  int n_key_heads = 0;
  std::size_t weight_bytes = 0;
  std::size_t cache_bytes_per_token = 0;  // keys and values of all layers
  // What it gets from the others for each row that goes through all layers.
  std::size_t received_bytes_per_row = 0;
};

// By process, of a model that locate() found, or a shape. Throws as inspect() does, and ConfigError
// for a number of processes among which the model cannot be divided.
std::vector<ShareSizes> share_sizes(const std::string& model,
                                    DType dtype,
                                    Quantization quantization,
                                    int n_processes);

// Work of one kind.
struct CostLine {
  std::string phase;  // "load", "prompts", "answers", "readouts", "log"
  std::string work;   // "products", "attention", ...
  std::int64_t n_rows = 0;
  double flop = 0;
  double bytes = 0;  // that the memory of the device must give or take
  std::int64_t n_launches = 0;
  double seconds = 0;
  std::string bound;  // what most of the time goes into
};

struct MemoryLine {
  std::string what;
  double bytes = 0;
};

// What the blocks of the attention kernel work on. Those with few queries leave most of a block
// empty.
struct AttentionItems {
  std::string_view size;  // "up to 8 queries"
  std::int64_t n_items = 0;
  std::int64_t n_keys = 0;
};

struct Cost {
  std::string card;
  std::vector<CostLine> lines;
  double load_seconds = 0;                // start-up and reading
  double run_seconds = 0;                 // from loaded to logged
  std::vector<MemoryLine> memory;         // all that is taken, at its largest
  double memory_bytes = 0;                // of the card; 0 = not known
  std::vector<AttentionItems> attention;  // on a card, of one layer
  std::string advice;                     // where it does not fit: what would; else empty
};

// Throws ConfigError for an unknown card or options that make no sense, with the known ones;
// ModelError as inspect() does.
Cost estimate_cost(const CostQuestion& question,
                   std::span<const TokenIds> prompts,
                   const GenerateOptions& options);

}  // namespace labelprobe::model
