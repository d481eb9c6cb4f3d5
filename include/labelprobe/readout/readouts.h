// The probability that a model gives each label, read off the model itself: one row per way of
// reading it. All readouts of a prompt share one tree of answers, so that nothing is asked twice.
// Source: methods beyond the paper's four, sections 3 to 5; each row's summary says whose it is.
// Callers: experiment, which runs the explorer over a model's prompts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/readout/answer_format.h"
#include "labelprobe/record/readout_values.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

// Which token sequences of an answer's text count.
enum class Tokenisation {
  Any,        // all that spell it
  Canonical,  // the one that the tokenizer makes of it; others are off format
};
inline constexpr auto kTokenisations = enum_names<Tokenisation>(
    "tokenisation", {{Tokenisation::Any, "any"}, {Tokenisation::Canonical, "canonical"}});

// marginal_any: whether its walk gives up where the published one does.
enum class WalkStops { Published, Never };
inline constexpr auto kWalkStops = enum_names<WalkStops>(
    "walk stop", {{WalkStops::Published, "published"}, {WalkStops::Never, "never"}});

// greedy_bounds: what is expanded beside the greedy answer.
enum class BoundsFrom {
  Answer,  // nothing: no computing
  Slots,   // the labels' tokens at each slot: narrower
};
inline constexpr auto kBoundsFrom = enum_names<BoundsFrom>(
    "bounds", {{BoundsFrom::Answer, "answer"}, {BoundsFrom::Slots, "slots"}});

// length_normalised: what a label's log-probability is divided by.
enum class LengthUnit { Raw, Token, Character, Byte };
inline constexpr auto kLengthUnits = enum_names<LengthUnit>("length unit",
                                                            {{LengthUnit::Raw, "raw"},
                                                             {LengthUnit::Token, "token"},
                                                             {LengthUnit::Character, "char"},
                                                             {LengthUnit::Byte, "byte"}});

struct ReadoutOptions {
  int max_new_tokens = 20;  // of an answer, with the token that ends it
  int max_places = 512;     // that a prompt asks of the model, for all its readouts together
  Tokenisation tokenisation = Tokenisation::Any;
  // first_token, slot_trie; unset: labelset for the first, vocab for the second.
  std::optional<record::Normalisation> slot_normalisation;
  // Continuations of a slot less probable than this are not looked at.
  double slot_floor = 1e-6;
  BoundsFrom bounds_from = BoundsFrom::Answer;
  bool include_all_tokens = false;  // marginal_fixed: every token's probability enters the product

  // marginal_exact and its variants: they stop once no label's bounds, or all that is unexplored,
  // are further apart than delta, or after max_nodes nodes.
  double delta = 1e-3;
  int max_nodes = 256;
  std::optional<double>
      floor;       // answers less probable are not followed; unset: 1e-6, or delta / 1000
  int n_sets = 8;  // most probable label sets to report

  int n_samples = 200;    // mc, mc_rb
  std::int64_t seed = 0;  // likewise; with the prompt's tokens it gives the draws
  int n_beams = 8;        // beam_sum

  WalkStops walk_stops = WalkStops::Published;  // marginal_any, as top_p and eps
  double top_p = 0.99;
  double eps = 0.01;

  // marginal_bytes: the prompt's last tokens, as many, that may be divided otherwise. The answer's
  // probability is relative to all ways to write the prompt's end.
  int open_tokens = 4;

  // forced_prefix: how the answer is made to begin, e.g. "unsafe\nS" or "joy,". A space that the
  // next label's token would begin with is better left to the model.
  std::string forced_prefix;
  LengthUnit length_unit = LengthUnit::Token;
};

struct InquiryInput;  // src/readout/answers/inquiry.h
class Inquiry;

// What a format's labels weigh, where nobody knows yet which tokens they will be written with.
struct LabelSizes {
  std::int64_t n_labels = 0;
  std::int64_t n_slots = 0;   // that an answer may well have
  std::int64_t longest = 0;   // bytes
  std::int64_t n_inside = 0;  // places inside labels: bytes of all of them but the last ones
};

struct Readout {
  std::string_view name;  // in files and flags: "marginal_exact"
  std::string_view title;
  std::string_view summary;
  std::string_view needs;  // what it has the model compute beside the greedy answer
  std::unique_ptr<Inquiry> (*make)(const InquiryInput& input) = nullptr;
  // About how many places it asks for beside those of the greedy answer; unset: none.
  std::int64_t (*estimate)(const LabelSizes& sizes, const ReadoutOptions& options) = nullptr;
  bool reads_text = false;        // of the greedy answer, after it has left the format too
  bool needs_top_tokens = false;  // of every place, up to ReadoutOptions::top_p
  // Throws ConfigError where the labels or options do not suit it; unset: they always do.
  void (*check)(const AnswerFormat& format,
                const tokenizer::Tokenizer& tokenizer,
                const ReadoutOptions& options) = nullptr;
  bool leaves_end_open = false;  // the end of a prompt may be in other tokens than the prompt's
};

// In the order of the methods' description.
std::span<const Readout> readouts();

// Throws ConfigError for an unknown name, with the nearest and the known ones.
const Readout& find_readout(std::string_view name);

// About how many places these ask of the model for one prompt, those of the greedy answer among
// them: rather too many, for places that several of them use count for each. Not more than
// max_places.
std::int64_t estimated_places(const AnswerFormat& format,
                              std::span<const Readout* const> chosen,
                              const ReadoutOptions& options);

// Called once for every prompt that was not answered already: its values in the order of the
// chosen readouts, or why there are none.
using ReadoutSink = std::function<void(std::size_t prompt,
                                       std::vector<record::ReadoutValues> values,
                                       const std::optional<std::string>& failure)>;

// Everything about the prompts of one explore() call. What a prompt's values are depends on the
// prompt, the format, the options and, once max_places are used up, on the readouts chosen; never
// on other prompts.
class ReadoutExplorer final : public model::Explorer {
 public:
  // References the tokenizer and the chosen rows. Throws ConfigError for a format, options or
  // readouts that make no sense (check(), Readout::check).
  //   end_ids  end-of-text tokens of the model
  ReadoutExplorer(const AnswerFormat& format,
                  const tokenizer::Tokenizer& tokenizer,
                  TokenIds end_ids,
                  std::vector<const Readout*> chosen,
                  const ReadoutOptions& options,
                  ReadoutSink sink);
  ~ReadoutExplorer() override;

  // What explore() is to be called with, beside what is the caller's: batches, answered prompts.
  // Keeps `prompts` until the call is over.
  model::ExploreOptions options_for(std::span<const TokenIds> prompts);

  void begin(std::size_t prompt) override;
  // What greedy decoding gives need not be found out step by step, then.
  void answer(std::size_t prompt, const model::Generation& answer) override;
  void reach(const model::Place& place) override;
  void grow(std::size_t prompt, model::Frontier& next) override;
  void finish(std::size_t prompt, const std::optional<std::string>& failure) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace labelprobe::readout
