// Runs prompts through a causal language model and keeps what the readout needs.
// Knows nothing about labels or prompts; knows everything about devices and caches.
// Callers: readout and experiment, which are given a model that somebody has opened (open.h), and
// those who wrap or fake one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/model/explorer.h"
#include "labelprobe/model/step.h"
#include "labelprobe/weights/generation_rules.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::model {

using weights::DType;
using weights::GenerationRules;
using weights::Quantization;
using weights::WeightForm;

// What there is to say about a model, before it is loaded (inspect()) and after.
struct ModelInfo {
  std::string architecture;  // "LlamaForCausalLM"
  int vocab_size = 0;
  int max_context = 0;  // positions
  // Positions that a token attends to in some layer, where it is not all before it; 0 otherwise.
  // Longer texts are computed too, up to max_context.
  int attention_window = 0;
  int n_layers = 0;
  int n_heads = 0;  // of the queries
  int hidden_size = 0;
  std::int64_t n_parameters = 0;
  std::size_t weight_bytes = 0;
  std::size_t cache_bytes_per_token = 0;  // keys and values of all layers
  DType dtype = DType::Float32;
  Quantization quantization = Quantization::None;
  std::string device;                 // "cpu", "cuda:0"
  std::string device_name;            // of the GPU, or the number of CPU threads
  std::string fingerprint;            // of the weight files, all of them
  std::vector<TokenId> end_ids;       // from generation_config.json, config.json or the GGUF header
  GenerationRules rules;              // of its own generation configuration, or the GGUF header
  std::string backend;                // whose code computes: "libtorch 2.11.0 with ..."
  std::vector<std::string> warnings;  // what is odd about its files, in sentences
  std::vector<std::string> device_warnings;  // likewise, about where it computes
};

// How long to go on. A sequence ends after the token that first meets one of these; that token is
// kept.
struct StopRule {
  int max_new_tokens = 1;
  std::vector<TokenId> end_ids;  // end-of-text tokens; empty = none
  // Asked after every generated token with all tokens generated so far; unset = never. Called from
  // one thread.
  std::function<bool(std::span<const TokenId>)> is_complete;
};

struct Effort;

struct GenerateOptions {
  StopRule stop;
  // Tokens whose logits are kept at every step, e.g. the first token of each label.
  TokenIds watched;
  int n_top_tokens = 0;      // the k largest logits of the whole vocabulary at every step
  bool keep_logits = false;  // all logits of every step (large)
  int batch_size = 0;        // prompts computed together at most; 0 = chosen from free memory
  bool share_prefixes = true;
  // Prompts that need no answer any more, [n_prompts]; empty = all need one. Batches are formed as
  // if they did, so that a call that takes up an interrupted one gives the same bytes; batches
  // without an open prompt are skipped, and answered prompts never reach the sink.
  std::vector<bool> is_answered;
  // New tokens of each prompt at most, [n_prompts], from 1 to stop.max_new_tokens; empty =
  // stop.max_new_tokens for all. A prompt that is only to be looked at, such as the beginning of
  // another one, asks for 1.
  std::vector<int> n_new_tokens;
  // Tokens that are likely to follow what a prompt has generated so far, such as the rest of a
  // label once its first token is there; empty = no guess. They are checked in one pass and kept
  // only as far as they are what step-by-step decoding chooses. Called from one thread; unset = no
  // guesses.
  std::function<TokenIds(std::span<const TokenId> generated)> draft;
  // Told of the effort so far while a batch is being computed, for people who watch; from one
  // thread. Unset = nobody watches.
  std::function<void(const Effort&)> on_work;
  // Applied to the logits of every step before anything reads them.
  GenerationRules rules;
};

// The greedy continuation of one prompt.
struct Generation {
  TokenIds token_ids;       // generated tokens, the ending one included
  std::vector<Step> steps;  // [token_ids.size()]: the logits that chose token_ids[t]
  std::vector<float>
      logits;  // [token_ids.size() * vocab_size] if keep_logits, row-major; empty otherwise
  // Set when this prompt could not be run, e.g. longer than the context; everything else is then
  // empty.
  std::optional<std::string> failure;
};

// What the work of the calls so far was; tokens are counted once per forward pass through the
// layers.
struct Effort {
  std::int64_t n_prompt_tokens = 0;           // all prompts, end to end
  std::int64_t n_prompt_tokens_computed = 0;  // after sharing equal prefixes
  std::int64_t n_generated_tokens = 0;
  std::int64_t n_drafted_tokens = 0;  // checked
  std::int64_t n_drafted_kept = 0;    // and found right: steps saved
  std::int64_t n_places = 0;          // that explorers asked for, beside the prompts' own
  int n_batches_halved = 0;           // for want of memory, and run again in parts
};

struct ExploreOptions {
  Observe observe;
  std::vector<Reach> reach;    // [n_prompts], or [1] for all of them
  bool reads_prompts = false;  // Explorer::read_prompt()
  // Where set, the prompts are answered greedily first, over the same computed prompts: see
  // Explorer::answer(). Its own batch size, sharing, answered prompts and on_work do not count.
  std::optional<GenerateOptions> greedy;
  int batch_size = 0;  // prompts computed together at most; 0 = chosen from free memory
  bool share_prefixes = true;
  std::vector<bool> is_answered;  // as in GenerateOptions
  // Told of the effort so far after every step, for people who watch; unset = nobody watches.
  std::function<void(const Effort&)> on_work;
};

// Called after every finished batch with prompt indices and their generations, which may be moved
// from. An exception thrown here ends generate() and passes through.
using GenerationSink = std::function<void(std::span<std::pair<std::size_t, Generation>>)>;

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  // Greedy continuation of every prompt; results arrive batch by batch through `sink`, each prompt
  // exactly once. Equal prefixes are computed once. How prompts are grouped, shared and drafted
  // changes no bit of an answer on the CPU, but with weights in 8 bits; on a GPU it moves the last
  // bits.
  //   prompts  whole prompts as token ids, begin-of-text included. An empty one, one with an id
  //   outside the
  //            vocabulary and one that does not fit the context are reported as failures, not
  //            thrown.
  // Order and content of the batches depend on the arguments only, so reruns give the same bytes.
  // Throws ModelError if the device runs out of memory even for one prompt.
  virtual void generate(std::span<const TokenIds> prompts,
                        const GenerateOptions& options,
                        const GenerationSink& sink) = 0;

  // Computes what an explorer asks for. Equal prefixes of prompts are computed once, and places
  // that several prompts have asked for go through the layers together. A place's numbers are,
  // where answers do not depend on the schedule, bit for bit those that generate() has after the
  // same tokens, before any rule.
  //   prompts  as for generate(); failures go to Explorer::finish(). Equal ones share their
  //            beginning, but each is explored for itself.
  // Throws ConfigError for options that make no sense, ModelError as generate() does. Exceptions of
  // the explorer end it and pass through.
  virtual void explore(std::span<const TokenIds> prompts,
                       const ExploreOptions& options,
                       Explorer& explorer) = 0;

  virtual const ModelInfo& info() const = 0;
  virtual Effort effort() const = 0;
};

}  // namespace labelprobe::model
