#include "labelprobe/readout/readouts.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "readout/answers/readout_rows.h"

namespace labelprobe::readout {

namespace {

constexpr auto kCompletions = enum_names<Completion>(
    "completion", {{Completion::Eager, "eager"}, {Completion::Lookahead, "lookahead"}});
constexpr auto kRepeats =
    enum_names<Repeats>("repeats", {{Repeats::Allow, "allow"}, {Repeats::Forbid, "forbid"}});

constexpr bool kReadsText = true;
constexpr bool kNeedsTopTokens = true;
constexpr bool kLeavesEndOpen = true;

// --- Readout::estimate ---

// Answers with more labels are rare.
constexpr std::int64_t kUsualSlots = 3;
// The length of a separator or a closer, in tokens.
constexpr std::int64_t kSeparatorTokens = 2;

std::int64_t at_one_slot(const LabelSizes& sizes, const ReadoutOptions& /*options*/) {
  return sizes.n_inside;
}

std::int64_t at_every_slot(const LabelSizes& sizes, const ReadoutOptions& /*options*/) {
  return sizes.n_inside * sizes.n_slots;
}

std::int64_t of_bounds(const LabelSizes& sizes, const ReadoutOptions& options) {
  return options.bounds_from == BoundsFrom::Slots ? at_every_slot(sizes, options) : 0;
}

// At any depth there are no more beginnings than 1 / eps; nearly all are at one.
std::int64_t of_walk(const LabelSizes& /*sizes*/, const ReadoutOptions& options) {
  const double n = options.eps > 0.0 ? 1.0 / options.eps : options.max_places;
  return static_cast<std::int64_t>(std::min<double>(n, options.max_places));
}

std::int64_t of_search(const LabelSizes& /*sizes*/, const ReadoutOptions& options) {
  return options.max_nodes;
}

std::int64_t of_beams(const LabelSizes& /*sizes*/, const ReadoutOptions& options) {
  return std::int64_t{options.n_beams} * (options.max_new_tokens - 1);
}

// Most draws are answers that others have drawn too.
std::int64_t of_draws(const LabelSizes& /*sizes*/, const ReadoutOptions& options) {
  return options.n_samples;
}

std::int64_t of_prefix(const LabelSizes& sizes, const ReadoutOptions& options) {
  return sizes.n_inside + std::ssize(options.forced_prefix);
}

std::int64_t of_matrix(const LabelSizes& sizes, const ReadoutOptions& /*options*/) {
  return sizes.n_inside + sizes.n_labels * (sizes.longest + kSeparatorTokens + sizes.n_inside);
}

// In the order of the methods' description.
constexpr std::array kReadouts = {
    Readout{"first_token", "First token", "softmax over the labels' first tokens at each slot",
            "nothing", make_first_token, nullptr, false, false, check_first_tokens},
    Readout{"slot_trie", "Slot trie", "the label written at each slot, whole labels (ours)",
            "the tokens of the labels at every slot", make_slot_trie, at_every_slot},
    Readout{"length_normalised", "Length-normalised",
            "exp of a label's mean log-probability per token, character or byte: ranks, no "
            "probability",
            "the tokens of the labels at the first slot", make_length_normalised, at_one_slot},
    Readout{"token_probability", "Token probability",
            "of the token that completes a label in the greedy answer (Praharaj & Kasundra)",
            "nothing", make_token_probability, nullptr, kReadsText},
    Readout{"marginal_fixed", "Marginal, fixed place",
            "product of the completing tokens along the greedy answer (Praharaj & Kasundra)",
            "nothing", make_marginal_fixed, nullptr, kReadsText},
    Readout{"hazard_union", "Hazard union",
            "some slot of the greedy answer writes the label, as if slots were independent (ours)",
            "the tokens of the labels at every slot", make_hazard_union, at_every_slot},
    Readout{"greedy_bounds", "Greedy bounds",
            "what the greedy answer alone says of a label's being written at all (ours)",
            "nothing, or the tokens of the labels at every slot", make_greedy_bounds, of_bounds},
    Readout{"marginal_any", "Marginal, any place",
            "walk over the likeliest tokens (Praharaj & Kasundra)",
            "a place per beginning of at least eps", make_marginal_any, of_walk, false,
            kNeedsTopTokens},
    Readout{"marginal_exact", "Marginal", "a label is written at all, with bounds (ours)",
            "the likeliest beginnings of answers", make_marginal_exact, of_search},
    Readout{"marginal_complete", "Marginal, complete",
            "a label is written and the answer ends as the format says (ours)",
            "the likeliest beginnings of answers", make_marginal_complete, of_search},
    Readout{"marginal_given_valid", "Marginal, given valid",
            "a label is written, given that the answer ends as the format says (ours)",
            "the likeliest beginnings of answers", make_marginal_given_valid, of_search},
    Readout{"marginal_bytes", "Marginal, byte-exact",
            "a label is written at all, in whatever tokens the prompt's end is too, with bounds",
            "the likeliest beginnings of answers, and of the prompt's end", make_marginal_bytes,
            of_search, false, false, check_marginal_bytes, kLeavesEndOpen},
    Readout{"beam_sum", "Beam sum", "sum over the finished answers of a beam search (GROOV)",
            "n_beams places per token", make_beam_sum, of_beams},
    Readout{"mc", "Monte Carlo", "share of drawn answers that list the label",
            "the places of n_samples answers", make_mc, of_draws},
    Readout{"mc_rb", "Monte Carlo, Rao-Blackwell",
            "mean over drawn answers of what their places give a label (ours)",
            "the places of n_samples answers", make_mc_rb, of_draws},
    Readout{"forced_prefix", "Forced prefix",
            "the label that follows a beginning that is put into the model's mouth",
            "the beginning, and the tokens of the labels behind it", make_forced_prefix, of_prefix,
            false, false, check_forced_prefix},
    Readout{"forced_matrix", "Forced matrix",
            "the label that follows each label that is put first, K x K (ours)",
            "every label, and the tokens of the labels behind each", make_forced_matrix, of_matrix,
            false, false, check_forced_matrix},
};

}  // namespace

std::span<const Readout> readouts() {
  return kReadouts;
}

const Readout& find_readout(std::string_view name) {
  std::vector<std::string> known;
  for (const Readout& readout : kReadouts) {
    if (readout.name == name) return readout;
    known.emplace_back(readout.name);
  }
  throw ConfigError(unknown_choice("readout", name, known));
}

std::int64_t estimated_places(const AnswerFormat& format,
                              std::span<const Readout* const> chosen,
                              const ReadoutOptions& options) {
  LabelSizes sizes;
  sizes.n_labels = std::ssize(format.labels);
  const std::int64_t most = format.separators.empty() ? 1 : kUsualSlots;
  sizes.n_slots = std::min(format.max_labels > 0 ? std::int64_t{format.max_labels} : most, most);
  for (const AnswerLabel& label : format.labels) {
    const std::int64_t n_bytes = std::ssize(label.spellings.front());
    sizes.longest = std::max(sizes.longest, n_bytes);
    sizes.n_inside += n_bytes - 1;
  }
  std::int64_t n = options.max_new_tokens - 1;
  for (const Readout* readout : chosen) {
    if (readout->estimate != nullptr) n += readout->estimate(sizes, options);
  }
  return std::min<std::int64_t>(n, options.max_places);
}

std::string common_params(const AnswerFormat& format, const ReadoutOptions& options) {
  std::string params =
      fmt::format("max_new_tokens {}, completion {}, tokenisation {}, repeats {}",
                  options.max_new_tokens, kCompletions.name_of(format.completion),
                  kTokenisations.name_of(options.tokenisation), kRepeats.name_of(format.repeats));
  if (format.max_labels > 0) params += fmt::format(", max_labels {}", format.max_labels);
  return params;
}

}  // namespace labelprobe::readout
