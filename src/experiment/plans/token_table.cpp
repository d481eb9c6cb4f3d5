#include "experiment/plans/token_table.h"

#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/files/text_table.h"

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
  files::TextTable table;
  table.columns.assign(5, {"", files::Align::Left});
  for (std::size_t i = 0; i < tokens.names.size(); ++i) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row.push_back(tokens.names[i]);
    for (const SpaceVariant variant : {SpaceVariant::Bare, SpaceVariant::Spaced}) {
      const TokenId id = tokens.first_tokens[static_cast<std::size_t>(variant)][i];
      row.push_back(fmt::to_string(id));
      row.push_back(shown(tokenizer, id));
    }
  }
  files::write_terminal(out, table, {.indent = "  ", .has_header = false});
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
