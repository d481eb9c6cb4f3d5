#include "experiment/plans/token_table.h"

#include <iomanip>
#include <sstream>

#include <nlohmann/json.hpp>

namespace labelprobe::experiment {

namespace {

// A token as a quoted string, so that spaces and line breaks are seen.
std::string shown(const tokenizer::Tokenizer& tokenizer, TokenId id) {
  return nlohmann::json(tokenizer.token_bytes(id))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string describe_tokens(std::string_view title,
                            const readout::LabelTokens& tokens,
                            const tokenizer::Tokenizer& tokenizer) {
  using readout::SpaceVariant;
  std::ostringstream out;
  out << title
      << (tokens.in_context == SpaceVariant::Spaced ? "after a space"
                                                    : "without a space before them")
      << (tokens.variants == readout::LabelVariants::Strict ? "; only that form counts"
                                                            : "; both forms count")
      << ")\n";
  for (std::size_t i = 0; i < tokens.names.size(); ++i) {
    out << "  " << std::left << std::setw(18) << tokens.names[i];
    for (const SpaceVariant variant : {SpaceVariant::Bare, SpaceVariant::Spaced}) {
      const TokenId id = tokens.first_tokens[static_cast<std::size_t>(variant)][i];
      out << std::setw(8) << id << std::setw(16) << shown(tokenizer, id);
    }
    out << '\n';
  }
  return out.str();
}

std::vector<readout::LabelContext> contexts_of(const std::vector<prompt::LabelPlace>& places) {
  std::vector<readout::LabelContext> contexts;
  for (const prompt::LabelPlace& place : places) {
    contexts.push_back({place.text, place.label_begin, place.spelling});
  }
  return contexts;
}

}  // namespace labelprobe::experiment
