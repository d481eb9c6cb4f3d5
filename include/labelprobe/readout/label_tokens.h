// Which token begins each label where the prompt asks for it.
// Found by byte offsets in the tokenized template, so text in any script and any tokenizer is right
// (the published code counted characters of token strings).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/record/label_step.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::readout {

using record::SpaceVariant;

enum class LabelVariants {
  Both,    // either variant of a label is an occurrence of it
  Strict,  // only the variant of the first label in the template, as published
};

// "both", "strict"; ConfigError naming them for anything else.
LabelVariants parse_label_variants(std::string_view name);

// A text with a label in it.
struct LabelContext {
  std::string text;
  std::size_t label_begin = 0;  // byte offset of the label's first character
  std::string spelling;         // how the label stands there, e.g. with JSON's escapes
};

struct LabelTokens {
  std::vector<std::string> names;  // [n_names], label-set order, `none` last where the set has it
  std::vector<std::string> spellings;            // [n_names], as answers write them
  std::array<TokenIds, 2> first_tokens;          // [SpaceVariant][n_names]
  SpaceVariant in_context = SpaceVariant::Bare;  // of a first label in the template
  LabelVariants variants = LabelVariants::Both;

  // Every token whose logit is needed at a step, without repeats, in a fixed order.
  TokenIds watched() const;
};

// The first token of every name, in both space variants: as the template shows them, else as a
// space or a line break before the name gives them.
//   first_places  the incontext template filled with each name alone, in the order of `names`
//   later_places  the same with another label before the name; empty if a list never has two
// Throws ModelError if the tokenizer gives no token for a label.
LabelTokens find_label_tokens(const tokenizer::Tokenizer& tokenizer,
                              std::span<const std::string> names,
                              std::span<const LabelContext> first_places,
                              std::span<const LabelContext> later_places,
                              LabelVariants variants);

// What a person should know before trusting first tokens: labels that share one, and labels whose
// first token is a single letter. One sentence each, none if all is well.
std::vector<std::string> describe_problems(const LabelTokens& label_tokens,
                                           const tokenizer::Tokenizer& tokenizer);

}  // namespace labelprobe::readout
