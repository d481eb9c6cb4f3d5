// Runs prompts through a causal language model and keeps what the readout needs.
// Knows nothing about labels or prompts; knows everything about devices and caches.
// Callers: experiment (through app, which opens the concrete model), and the wrappers that record
// or fake one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/weights/model_info.h"
#include "labelprobe/weights/precision.h"

namespace labelprobe::model {

using weights::DType;
using weights::ModelInfo;
using weights::Quantization;

// How long to go on. A sequence ends after the token that first meets one of these; that token is
// kept.
struct StopRule {
  int max_new_tokens = 1;
  std::vector<TokenId> end_ids;  // end-of-text tokens; empty = none
  // Asked after every generated token with all tokens generated so far; unset = never. Called from
  // one thread.
  std::function<bool(std::span<const TokenId>)> is_complete;
};

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
  // 1.0 = off. Applied to the logits of every distinct token of prompt and output before anything
  // reads them, as the reference's processor does.
  double repetition_penalty = 1.0;
};

struct TopToken {
  TokenId id;
  float logit;
};

// One forward pass: the logits that chose token_ids[t].
struct Step {
  std::vector<float> watched_logits;  // [n_watched], in the order of GenerateOptions::watched
  std::vector<TopToken> top_tokens;   // [n_top_tokens], largest logit first, ties by smaller id
  // log of the sum of exp over the whole vocabulary's logits (natural log, float32): a token's
  // probability is exp(logit - log_sum_exp).
  float log_sum_exp = 0.0F;
};

// The greedy continuation of one prompt.
struct Generation {
  TokenIds token_ids;       // generated tokens, the ending one included
  std::vector<Step> steps;  // [token_ids.size()]
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
  int n_batches_halved = 0;           // for want of memory, and run again in parts
};

// Called after every finished batch with prompt indices and their generations, which may be moved
// from. An exception thrown here ends generate() and passes through.
using GenerationSink = std::function<void(std::span<std::pair<std::size_t, Generation>>)>;

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  // Greedy continuation of every prompt; results arrive batch by batch through `sink`, each prompt
  // exactly once. Equal prefixes are computed once. Grouping prompts differently may move logits by
  // rounding, nothing more.
  //   prompts  whole prompts as token ids, begin-of-text included. An empty one, one with an id
  //   outside the
  //            vocabulary and one that does not fit the context are reported as failures, not
  //            thrown.
  // Order and content of the batches depend on the arguments only, so reruns give the same bytes.
  // Throws ModelError if the device runs out of memory even for one prompt.
  virtual void generate(std::span<const TokenIds> prompts,
                        const GenerateOptions& options,
                        const GenerationSink& sink) = 0;

  virtual const ModelInfo& info() const = 0;
  virtual Effort effort() const = 0;
};

struct OpenOptions {
  weights::DType dtype = weights::DType::Float32;
  std::string device = "auto";  // "auto", "cpu", "cuda", "cuda:N"
  int n_threads = 0;            // CPU threads; 0 = one per physical core
  // None: as the checkpoint says, which may itself hold quantised weights.
  weights::Quantization quantization = weights::Quantization::None;
  bool allows_tf32 = false;  // float32 products on CUDA may round their factors to TF32
};

// Loads a model from the place locate() found. Throws ModelError naming the file and the tensor or
// config key, what was expected and what was found; ConfigError for a device that is not there.
std::unique_ptr<LanguageModel> open(const std::filesystem::path& model, const OpenOptions& options);

// What open() would say about the model, from its headers alone: nothing is loaded, device fields
// stay empty.
ModelInfo inspect(const std::filesystem::path& model,
                  weights::DType dtype,
                  weights::Quantization quantization = weights::Quantization::None);

}  // namespace labelprobe::model
