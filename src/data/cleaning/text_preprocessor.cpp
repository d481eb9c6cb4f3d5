#include "data/cleaning/text_preprocessor.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <fmt/core.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/python/text.h"

#include "data/cleaning/html_entities.h"
#include "data/cleaning/text_preprocessor_contractions.h"
#include "data/cleaning/text_preprocessor_regex.h"
#include "data/cleaning/text_preprocessor_tokens.h"

namespace labelprobe::data {

namespace {

// What becomes a tag, in the order of replacing: a link may hold an @.
std::string tag_addresses(std::string text) {
  static const TextRegex kUrl(R"(https?://(?:www\.)?[^.\s]+\.\S{2,}|www\.\S+\.\S{2,})");
  static const TextRegex kEmail(
      R"((?<![\w@.)])\w[\w.%+-]*@(?:[\w-]+\.)*[\w-]+(?:\.[a-z]{2,}){1,3}\b)");
  static const TextRegex kPhone(
      R"((?<!\d)(?:\+\d{1,2}\s)?\(?\d{3}\)?[\s.-]?\d{3}[\s.-]?\d{4}(?!\d))");
  static const TextRegex kUser(R"(@\w+)");
  text = kUrl.replace(text, [](const RegexMatch&) { return " <url> "; });
  text = kEmail.replace(text, [](const RegexMatch&) { return " <email> "; });
  text = kPhone.replace(text, [](const RegexMatch&) { return " <phone> "; });
  return kUser.replace(text, [](const RegexMatch&) { return " <user> "; });
}

std::string collapse_spaces(std::string_view text) {
  static const TextRegex kSpaces(" +");
  return kSpaces.replace(text, [](const RegexMatch&) { return " "; });
}

std::string spaced_by_case(std::string_view body) {
  static const TextRegex kPartBegin(
      R"((?<=[a-z])[A-Z]|(?<!^)[A-Z](?=[a-z])|[0-9]+|(?<=[0-9_-])[A-Za-z]|[_-])");
  std::string words = kPartBegin.replace(
      body, [](const RegexMatch& match) { return fmt::format(" {}", match.group(0)); });
  std::erase_if(words, [](char c) { return c == '-' || c == '_'; });
  return words;
}

// A character three times or more in a row becomes two.
std::string cut_runs(std::string_view word) {
  static const TextRegex kRun(R"((.)\1{2,})");
  return kRun.replace(word, [](const RegexMatch& match) {
    return std::string(match.group(1)).append(match.group(1));
  });
}

std::string annotate_signs(std::string text) {
  static const TextRegex kRepeated("[!?.]{2,}");
  static const TextRegex kEmphasis(R"(\*(\w+)\*)");
  static const TextRegex kCensored(R"(\b\w+\*+\w+\b)");
  text = kRepeated.replace(text, [](const RegexMatch& match) {
    const std::string_view run = match.group(0);
    const std::set<char, std::greater<>> signs(run.begin(), run.end());
    return std::string(signs.begin(), signs.end()) + " <repeated> ";
  });
  text = kEmphasis.replace(
      text, [](const RegexMatch& match) { return fmt::format("{} <emphasis> ", match.group(1)); });
  return kCensored.replace(
      text, [](const RegexMatch& match) { return fmt::format("{} <censored> ", match.group(0)); });
}

// Tags of addresses lose their brackets, those of a hashtag make one word of it, the others vanish.
std::string join_tokens(const std::vector<std::string>& tokens) {
  static constexpr std::array<std::string_view, 4> kKept = {"<url>", "<email>", "<phone>",
                                                            "<user>"};
  static constexpr std::array<std::string_view, 10> kDropped = {
      "<elongated>", "</elongated>", "<allcaps>",   "</allcaps>", "<repeated>",
      "</repeated>", "<emphasis>",   "</emphasis>", "<censored>", "</censored>"};
  std::string joined;
  bool is_in_hashtag = false;
  std::string_view separator;
  for (const std::string& token : tokens) {
    if (token == "<hashtag>") {
      joined += fmt::format("{}#", joined.empty() ? "" : " ");
      is_in_hashtag = true;
      separator = " ";
    } else if (token == "</hashtag>") {
      is_in_hashtag = false;
      separator = " ";
    } else if (std::find(kDropped.begin(), kDropped.end(), token) == kDropped.end()) {
      const bool is_kept = std::find(kKept.begin(), kKept.end(), token) != kKept.end();
      joined.append(separator).append(is_kept ? token.substr(1, token.size() - 2) : token);
      separator = is_in_hashtag ? "-" : " ";
    }
  }
  return std::string(python::strip(joined));
}

// Reddit's own spellings, and the placeholders of GoEmotions, in those of Twitter.
std::string as_tweet(std::string_view text) {
  static const TextRegex kUser("/u/[A-Za-z0-9_-]*");
  std::string tweet = replace_all(text, "[NAME]", "@name");
  tweet = replace_all(tweet, "[RELIGION]", "religion");
  tweet = replace_all(tweet, "/r/", "");
  return kUser.replace(tweet, [](const RegexMatch&) { return "@user"; });
}

}  // namespace

std::string TextPreprocessor::hashtag_words(std::string_view body) const {
  static const TextRegex kUpper(R"([\p{Lu}\p{Lt}])");
  static const TextRegex kLower(R"(\p{Ll})");
  if (kUpper.is_in(body) || !kLower.is_in(body)) {
    return spaced_by_case(body);
  }
  std::string words = statistics_ ? statistics_->segment(body) : std::string(body);
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c == '-' || c == '_'; }, ' ');
  return words;
}

// Upper or lower case makes no difference to the tokens, which are lower case, except that only
// contractions with small letters are written out: the case of the word is kept as a whole.
std::string TextPreprocessor::normal_word(std::string_view elongated) const {
  const std::string cut = cut_runs(elongated);
  if (!statistics_) {
    return cut;
  }
  const std::string lowered = ascii_lower(cut);
  std::string normal = statistics_->shortest_known(lowered);
  const bool is_upper =
      std::none_of(cut.begin(), cut.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  if (is_upper) {
    std::transform(normal.begin(), normal.end(), normal.begin(), upper);
  } else if (cut[0] >= 'A' && cut[0] <= 'Z') {
    normal[0] = upper(normal[0]);
  }
  return normal;
}

std::string TextPreprocessor::annotate(std::string text) const {
  static const TextRegex kHashtag(R"(#([\w-]+))");
  static const TextRegex kAllCaps(R"((?<![#@$])\b[A-Z][A-Z ]+[A-Z]\b)");
  static const TextRegex kElongated(R"(\b[A-Za-z]*([A-Za-z])\1{2,}[A-Za-z]*\b)");
  text = kHashtag.replace(text, [&](const RegexMatch& match) {
    return fmt::format(" <hashtag> {} </hashtag> ", hashtag_words(match.group(1)));
  });
  text = kAllCaps.replace(text, [](const RegexMatch& match) {
    return fmt::format(" <allcaps> {} </allcaps> ", match.group(0));
  });
  text = kElongated.replace(
      text, [&](const RegexMatch& match) { return normal_word(match.group(0)) + " <elongated> "; });
  return annotate_signs(std::move(text));
}

std::string TextPreprocessor::clean(std::string_view text) const {
  if (domain_ == TextDomain::Other) {
    return std::string(text);
  }
  std::string cleaned = domain_ == TextDomain::Reddit ? as_tweet(text) : std::string(text);
  cleaned = annotate(tag_addresses(collapse_spaces(cleaned)));
  cleaned = collapse_spaces(unpack_contractions(cleaned));
  return join_tokens(social_tokens(unescape_html(cleaned)));
}

}  // namespace labelprobe::data
