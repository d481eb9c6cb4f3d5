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

// In the order of the methods' description.
constexpr std::array kReadouts = {
    Readout{"first_token", "First token", "softmax over the labels' first tokens at the first slot",
            "nothing", make_first_token, false, false, check_first_tokens},
    Readout{"slot_trie", "Slot trie", "the label written at the first slot, whole labels (ours)",
            "the tokens of the labels at that slot", make_slot_trie},
    Readout{"length_normalised", "Length-normalised",
            "exp of a label's mean log-probability per token, character or byte: ranks, no "
            "probability",
            "the tokens of the labels at the first slot", make_length_normalised},
    Readout{"token_probability", "Token probability",
            "of the token that completes a label in the greedy answer (Praharaj & Kasundra)",
            "nothing", make_token_probability, kReadsText},
    Readout{"marginal_fixed", "Marginal, fixed place",
            "product of the completing tokens along the greedy answer (Praharaj & Kasundra)",
            "nothing", make_marginal_fixed, kReadsText},
    Readout{"hazard_union", "Hazard union",
            "some slot of the greedy answer writes the label, as if slots were independent (ours)",
            "the tokens of the labels at every slot", make_hazard_union},
    Readout{"greedy_bounds", "Greedy bounds",
            "what the greedy answer alone says of a label's being written at all (ours)",
            "nothing, or the tokens of the labels at every slot", make_greedy_bounds},
    Readout{"marginal_any", "Marginal, any place",
            "walk over the likeliest tokens (Praharaj & Kasundra)",
            "a place per beginning of at least eps", make_marginal_any, false, kNeedsTopTokens},
    Readout{"marginal_exact", "Marginal", "a label is written at all, with bounds (ours)",
            "the likeliest beginnings of answers", make_marginal_exact},
    Readout{"marginal_complete", "Marginal, complete",
            "a label is written and the answer ends as the format says (ours)",
            "the likeliest beginnings of answers", make_marginal_complete},
    Readout{"marginal_given_valid", "Marginal, given valid",
            "a label is written, given that the answer ends as the format says (ours)",
            "the likeliest beginnings of answers", make_marginal_given_valid},
    Readout{"marginal_bytes", "Marginal, byte-exact",
            "a label is written at all, in whatever tokens the prompt's end is too, with bounds",
            "the likeliest beginnings of answers, and of the prompt's end", make_marginal_bytes,
            false, false, check_marginal_bytes, kLeavesEndOpen},
    Readout{"beam_sum", "Beam sum", "sum over the finished answers of a beam search (GROOV)",
            "n_beams places per token", make_beam_sum},
    Readout{"mc", "Monte Carlo", "share of drawn answers that list the label",
            "the places of n_samples answers", make_mc},
    Readout{"mc_rb", "Monte Carlo, Rao-Blackwell",
            "mean over drawn answers of what their places give a label (ours)",
            "the places of n_samples answers", make_mc_rb},
    Readout{"forced_prefix", "Forced prefix",
            "the label that follows a beginning that is put into the model's mouth",
            "the beginning, and the tokens of the labels behind it", make_forced_prefix, false,
            false, check_forced_prefix},
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

std::string common_params(const AnswerFormat& format, const ReadoutOptions& options) {
  std::string params =
      fmt::format("max_new_tokens {}, completion {}, tokenisation {}, repeats {}",
                  options.max_new_tokens, kCompletions.name_of(format.completion),
                  kTokenisations.name_of(options.tokenisation), kRepeats.name_of(format.repeats));
  if (format.max_labels > 0) params += fmt::format(", max_labels {}", format.max_labels);
  return params;
}

}  // namespace labelprobe::readout
