#include "data/cleaning/text_preprocessor_tokens.h"

#include <array>

#include <fmt/core.h>
#include <utf8proc.h>

#include "labelprobe/core/utf8.h"

#include "data/cleaning/text_preprocessor_regex.h"

namespace labelprobe::data {

namespace {

// The kinds of tokens in the order they are tried. Emoticons are a face seen from the side: brow,
// eyes, nose and mouth, either way round. Parts that are letters or digits must not continue a
// word.
constexpr std::array kKinds = {
    // Addresses.
    R"((?:https?://(?:www\.)?[^.\s]+\.\S{2,}|www\.\S+\.\S{2,}))",
    // A tag.
    R"(</?\w+/?>)",
    R"((?<![\w@.)])[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}\b)",
    R"(@\w+)",
    R"(\#\w[\w-]*)",
    R"(\$[A-Z]+\b)",
    // Percent.
    R"(\b\d+(?:[.,']\d+)?%)",
    // Money, the currency on either side.
    R"([$€£¢]\d+(?:[.,']\d+)?(?:[MmKkBb]+\b)?|\b\d+(?:[.,']\d+)?[$€£¢])",
    // Dates in words, the month after the day or before it or before the year, and in numbers.
    R"((?:\b\d{1,2},?\s)?\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?)"
    R"(|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?))"
    R"((?:,?\s\d{1,2}(?:st|nd|rd|th)?\b(?:,?\s\d{4}\b)?|,?\s\d{4}\b|(?<=\d\s\w{3})\b))",
    R"(\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b)",
    // Times.
    R"(\b(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:\s?[AaPp][Mm]\b)?|\b\d{1,2}[AaPp][Mm]\b)",
    // An acronym.
    R"(\b(?:[A-Z]\.){2,}(?:[A-Z]\b)?)",
    // Faces from the left: eyes first. What can be eyes decides what can be a mouth.
    R"((?:[<>}|]|(?<!\w)[DO03P])?[:=|%]["'^-]?)"
    R"((?:[()\[\]{}<>|/\\]+|[#$&*@,.](?![\w.,*])|[DJLOPSXbcopsx](?![^\W\d])|[03](?!\w)))",
    R"([<>}]?;["'^-]?)"
    R"((?:[)\[\]{}<>|/\\]+|[#$&*@,.](?![\w.,*])|[DJLOPSXbcopsx](?![^\W\d])|[03](?!\w)))",
    R"((?:\*["'^-]?(?:[()\[\]{}<>|/\\]+|[DJLOPSXbcopsx](?![^\W\d]))|\*["^-]\*))",
    R"((?<!\w)(?:[8xXB]["'^-]?[()\[\]{}<>|]+|[8xX]["'^-][DPOpo](?!\w)|8D(?!\w)))",
    // Faces from the right: mouth first.
    R"((?:(?<!\w)[()\[\]{}<>/\\]+|(?<!\w)[DOSos0])["'^-]?(?:[:=;|%*#$]|[xX8](?!\w))[<>]?(?!\w))",
    // A censored word, an emphasized one.
    R"(\b\w+\*+\w+\b)",
    R"(\*\w+\*)",
    // Other emoticons: hearts, arms, eyes only; eastern faces in brackets.
    R"((?<!\w)<3(?!\w)|[-/\\>](?:[._Oo0]|_+)[-/<\\](?!\w)|[;^][^\w\s]?[;^](?!\w)|[;^]_+[;^](?!\w))",
    R"(\\?\((?:\.{2,3}|╯?[.^>oT°][_.o□][.^<oT°])\)[/╯]?)",
    // A number.
    R"(\b\d+(?:[.,']\d+)?\b)",
    // A word.
    R"([^\W\d]\w*)",
};

TextRegex make_token_regex() {
  std::string pattern;
  for (const char* kind : kKinds) {
    pattern += fmt::format("(?:{})|", kind);
  }
  // A sign that changes how an emoji is drawn belongs to it; any other character stands alone.
  return TextRegex(pattern + R"([^\w\s]\x{fe0f}?|\S)");
}

std::string lower(std::string_view text) {
  std::string lowered;
  for (std::size_t at = 0; at < text.size();) {
    const auto [code, n_bytes] = character_at(text, at);
    if (n_bytes == 0) {
      return lowered.append(text.substr(at));
    }
    append_utf8(lowered,
                static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
    at += n_bytes;
  }
  return lowered;
}

}  // namespace

std::vector<std::string> social_tokens(std::string_view text) {
  static const TextRegex kToken = make_token_regex();
  std::vector<std::string> tokens;
  kToken.for_each(text, [&](const RegexMatch& match) { tokens.push_back(lower(match.group(0))); });
  return tokens;
}

}  // namespace labelprobe::data
