#include "data/cleaning/text_preprocessor_contractions.h"

#include <array>

#include <fmt/core.h>

#include "data/cleaning/text_preprocessor_regex.h"

namespace labelprobe::data {

namespace {

struct Contraction {
  TextRegex pattern;  // group 1 stays
  std::string_view rest;
};

}  // namespace

std::string unpack_contractions(std::string_view text) {
  static const std::array<Contraction, 9> kContractions = {{
      {TextRegex(R"(\b([Aa]re|[Cc]ould|[Dd]id|[Dd]oes|[Dd]o|[Hh]ad|[Hh]as|[Hh]ave|[Ii]s|[Mm]ight)"
                 R"(|[Mm]ust|[Ss]hould|[Ww]ere|[Ww]ould)n't)"),
       " not"},
      {TextRegex(R"(\b([Hh]e|[Ii]|[Ss]he|[Tt]hey|[Ww]e|[Ww]hat|[Ww]ho|[Yy]ou)'ll)"), " will"},
      {TextRegex(R"(\b([Tt]hey|[Ww]e|[Ww]hat|[Ww]ho|[Yy]ou)'re)"), " are"},
      {TextRegex(R"(\b([Ii]|[Ss]hould|[Tt]hey|[Ww]e|[Ww]hat|[Ww]ho|[Ww]ould|[Yy]ou)'ve)"), " have"},
      {TextRegex(R"(\b([Cc]a)n't)"), "n not"},
      {TextRegex(R"(\b([Ii])'m)"), " am"},
      {TextRegex(R"(\b([Ll]et)'s)"), " us"},
      {TextRegex(R"(\b([Ww])on't)"), "ill not"},
      {TextRegex(R"(\b([Ss]h)an't)"), "all not"},
  }};
  static const TextRegex kYouAll(R"(\b([Yy])(?:'all|a'll))");
  if (text.find('\'') == std::string_view::npos) {
    return std::string(text);
  }
  std::string unpacked(text);
  for (const auto& [pattern, rest] : kContractions) {
    unpacked = pattern.replace(unpacked, [&rest = rest](const RegexMatch& match) {
      return std::string(match.group(1)).append(rest);
    });
  }
  return kYouAll.replace(
      unpacked, [](const RegexMatch& match) { return fmt::format("{}ou all", match.group(1)); });
}

}  // namespace labelprobe::data
