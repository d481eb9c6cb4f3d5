#include "labelprobe/readout/label_tokens.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"

namespace labelprobe::readout {

namespace {

constexpr auto kVariants = enum_names<LabelVariants>(
    "label variant mode", {{LabelVariants::Both, "both"}, {LabelVariants::Strict, "strict"}});

struct LabelStart {
  TokenId id = 0;
  SpaceVariant variant = SpaceVariant::Bare;
};

// The token that covers the label's first character. It is the spaced variant if it takes in
// whitespace before it.
LabelStart first_token_at(const tokenizer::Tokenizer& tokenizer, const LabelContext& context) {
  const tokenizer::Encoding encoding =
      tokenizer.encode_with_offsets(context.text, tokenizer::SpecialTokens::Omit);
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    if (encoding.begins[i] <= context.label_begin && context.label_begin < encoding.ends[i]) {
      const bool is_spaced =
          encoding.begins[i] < context.label_begin && context.text[context.label_begin - 1] == ' ';
      return {encoding.ids[i], is_spaced ? SpaceVariant::Spaced : SpaceVariant::Bare};
    }
  }
  throw ModelError(fmt::format("the tokenizer gives no token for the label at byte {} of '{}'",
                               context.label_begin, context.text));
}

// The first token of a name, spelled as answers do, with or without a space before it, in a neutral
// context.
TokenId first_token_of(const tokenizer::Tokenizer& tokenizer,
                       const std::string& spelling,
                       SpaceVariant variant) {
  const std::string before = variant == SpaceVariant::Spaced ? "a " : "\n";
  return first_token_at(tokenizer, {before + spelling, before.size(), spelling}).id;
}

std::string in_quotes(std::string_view token) {
  return fmt::format("'{}'", token);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

bool is_single_letter(std::string_view token) {
  while (token.starts_with(' ')) {
    token.remove_prefix(1);
  }
  return token.size() == 1;
}

}  // namespace

LabelVariants parse_label_variants(std::string_view name) {
  return kVariants.parse(name);
}

TokenIds LabelTokens::watched() const {
  TokenIds ids;
  for (const TokenIds& tokens : first_tokens) {
    ids.insert(ids.end(), tokens.begin(), tokens.end());
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

LabelTokens find_label_tokens(const tokenizer::Tokenizer& tokenizer,
                              std::span<const std::string> names,
                              std::span<const LabelContext> first_places,
                              std::span<const LabelContext> later_places,
                              LabelVariants variants) {
  LABELPROBE_CHECK(names.size() == first_places.size() && !names.empty());
  LABELPROBE_CHECK(later_places.empty() || later_places.size() == names.size());
  LabelTokens found;
  found.names.assign(names.begin(), names.end());
  found.variants = variants;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const LabelStart first = first_token_at(tokenizer, first_places[i]);
    // In the template itself a label may merge with other neighbours than a space; that token is
    // the one to expect.
    const LabelStart later =
        later_places.empty() ? first : first_token_at(tokenizer, later_places[i]);
    found.spellings.push_back(first_places[i].spelling);
    if (i == 0) {
      found.in_context = first.variant;
    }
    for (const SpaceVariant variant : {SpaceVariant::Bare, SpaceVariant::Spaced}) {
      const TokenId token = variant == first.variant ? first.id
                            : variant == later.variant
                                ? later.id
                                : first_token_of(tokenizer, first_places[i].spelling, variant);
      found.first_tokens[static_cast<std::size_t>(variant)].push_back(token);
    }
  }
  return found;
}

std::vector<std::string> describe_problems(const LabelTokens& label_tokens,
                                           const tokenizer::Tokenizer& tokenizer) {
  std::vector<std::string> problems;
  const TokenIds& tokens =
      label_tokens.first_tokens[static_cast<std::size_t>(label_tokens.in_context)];
  std::map<TokenId, std::vector<std::string>> names_by_token;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    names_by_token[tokens[i]].push_back(label_tokens.names[i]);
  }
  for (const auto& [token, names] : names_by_token) {
    if (names.size() > 1) {
      problems.push_back(
          fmt::format("the labels {} begin with the same token {}: each is given that token's "
                      "score; steps are told apart by the tokens that follow",
                      joined(names), in_quotes(tokenizer.token_bytes(token))));
    }
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string bytes = tokenizer.token_bytes(tokens[i]);
    if (is_single_letter(bytes) && label_tokens.names[i].size() > 1) {
      problems.push_back(
          fmt::format("the label {} begins with the single letter {}: its probability includes "
                      "every other word that begins so",
                      label_tokens.names[i], in_quotes(bytes)));
    }
  }
  return problems;
}

}  // namespace labelprobe::readout
