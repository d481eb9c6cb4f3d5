#include "labelprobe/readout/answer_format.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/python/text.h"

namespace labelprobe::readout {

namespace {

std::string plain(std::string_view text) {
  return folded(python::strip(text));
}

// By their spellings: the longer label and the one it begins with. None with itself.
std::vector<std::pair<std::string, std::string>> prefixes(std::span<const AnswerLabel> labels) {
  std::map<std::string_view, const AnswerLabel*> by_spelling;
  for (const AnswerLabel& label : labels) {
    for (const std::string& spelling : label.spellings) by_spelling.emplace(spelling, &label);
  }
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [spelling, label] : by_spelling) {
    for (std::size_t n = 1; n < spelling.size(); ++n) {
      const auto shorter = by_spelling.find(spelling.substr(0, n));
      if (shorter != by_spelling.end() && shorter->second != label) {
        found.emplace_back(label->name, shorter->second->name);
      }
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void check_labels(const AnswerFormat& format) {
  if (format.labels.empty()) throw ConfigError("an answer format needs at least one label");
  std::map<std::string, const AnswerLabel*> by_text;
  for (const AnswerLabel& label : format.labels) {
    if (label.spellings.empty()) {
      throw ConfigError(fmt::format("the label '{}' has no spelling", label.name));
    }
    for (const std::string& spelling : label.spellings) {
      if (spelling.empty()) {
        throw ConfigError(fmt::format("the label '{}' has an empty spelling", label.name));
      }
      const auto [other, is_new] = by_text.emplace(plain(spelling), &label);
      if (!is_new && other->second != &label) {
        throw ConfigError(fmt::format("the labels '{}' and '{}' read the same in answers: '{}'",
                                      other->second->name, label.name, spelling));
      }
    }
  }
}

// No answer that lists something may read like one that lists nothing.
void check_empties(const AnswerFormat& format) {
  for (const std::string& empty : format.empties) {
    if (empty.empty()) throw ConfigError("an empty answer of an answer format has no text");
    for (const AnswerLabel& label : format.labels) {
      for (const std::string& spelling : label.spellings) {
        for (const std::string& opener : format.openers) {
          bool is_same = plain(opener + spelling) == plain(empty);
          for (const std::string& closer : format.closers) {
            is_same = is_same || plain(opener + spelling + closer) == plain(empty);
          }
          if (is_same) {
            throw ConfigError(
                fmt::format("the label '{}' reads like the empty answer '{}': give the empty "
                            "answer another text",
                            label.name, empty));
          }
        }
      }
    }
  }
}

void check_ends(const AnswerFormat& format) {
  if (format.openers.empty()) throw ConfigError("an answer format needs an opener, be it empty");
  if (format.max_labels < 0) {
    throw ConfigError(
        fmt::format("max_labels is {}; expected 0 (any number) or more", format.max_labels));
  }
  if (format.closers.empty() && !format.closes_at_end_of_text) {
    throw ConfigError(
        "an answer of this format never ends: it has no closers, and end of text "
        "does not close it");
  }
  const auto begins = [](std::string_view part, const std::string& text) {
    return text.starts_with(part);
  };
  for (const std::string& separator : format.separators) {
    if (separator.empty()) throw ConfigError("a separator of an answer format is empty");
  }
  for (const std::string& closer : format.closers) {
    if (closer.empty()) throw ConfigError("a closer of an answer format is empty");
    for (const std::string& separator : format.separators) {
      if (begins(closer, separator)) {
        throw ConfigError(
            fmt::format("the separator '{}' begins with the closer '{}': an answer "
                        "would end before its second label",
                        separator, closer));
      }
    }
    for (const auto& [longer, shorter] : prefixes(format.labels)) {
      if (begins(shorter + closer, longer)) {
        throw ConfigError(
            fmt::format("the label '{}' begins with '{}' and the closer '{}': an "
                        "answer would end inside it",
                        longer, shorter, closer));
      }
    }
  }
}

// The text in quotes, and as JSON escapes it, without the quotes.
std::string escaped(const std::string& name, bool has_escapes) {
  const std::string quoted =
      nlohmann::json(name).dump(-1, ' ', has_escapes, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// Each with nothing, a space or a line break before it.
std::vector<std::string> with_openings(std::span<const std::string> texts) {
  std::vector<std::string> opened;
  for (const std::string& text : texts) {
    for (const char* opening : {"", " ", "\n"}) opened.push_back(opening + text);
  }
  return opened;
}

std::vector<std::string> with_openings(const std::string& text) {
  return with_openings(std::span(&text, 1));
}

std::vector<AnswerLabel> plain_labels(std::span<const std::string> names,
                                      std::string_view before = "") {
  std::vector<AnswerLabel> labels;
  for (const std::string& name : names) {
    labels.push_back({name, {fmt::format("{}{}", before, name)}});
  }
  return labels;
}

AnswerFormat json_format(const LabelFormat& format, const LabelSet& label_set) {
  AnswerFormat made;
  for (const std::string& name : label_set.names()) {
    AnswerLabel label{name, {escaped(name, format.has_escapes)}};
    const std::string other = escaped(name, !format.has_escapes);
    if (other != label.spellings.front()) label.spellings.push_back(other);
    made.labels.push_back(std::move(label));
  }
  const std::string key = fmt::format("{{\"{}\": ", escaped(format.json_key, format.has_escapes));
  if (!label_set.is_multilabel()) {
    made.openers = with_openings(key + "\"");
    made.closers = {"\"}"};
    return made;
  }
  made.openers = with_openings(key + "[\"");
  made.separators = {"\", \""};
  made.closers = {"\"]}"};
  const std::vector<std::string> empties = {key + "[]}", key + "[\"none\"]}"};
  made.empties = with_openings(empties);
  return made;
}

// With what models write before a verdict: nothing, or the blank line behind a header, or the space
// that SentencePiece has in its tokens.
std::vector<std::string> with_verdict_openings(const std::string& text) {
  std::vector<std::string> opened = with_openings(text);
  opened.push_back("\n\n" + text);
  return opened;
}

}  // namespace

std::vector<std::string> check(const AnswerFormat& format) {
  check_labels(format);
  check_ends(format);
  check_empties(format);
  std::vector<std::string> problems;
  if (format.completion == Completion::Eager) {
    for (const auto& [longer, shorter] : prefixes(format.labels)) {
      problems.push_back(
          fmt::format("the label '{}' begins with the label '{}': with eager completion its "
                      "probability counts for both; lookahead tells them apart",
                      longer, shorter));
    }
  }
  return problems;
}

Completion completion_for(std::span<const AnswerLabel> labels) {
  return prefixes(labels).empty() ? Completion::Eager : Completion::Lookahead;
}

AnswerFormat format_of(const LabelFormat& format, const LabelSet& label_set) {
  AnswerFormat made;
  const std::vector<std::string>& names = label_set.names();
  switch (format.kind) {
    case LabelFormat::Kind::List:
      made.labels = plain_labels(names);
      made.openers = with_openings("");
      made.separators = {", "};
      made.closers = {"\n"};
      break;
    case LabelFormat::Kind::Json:
      made = json_format(format, label_set);
      break;
    case LabelFormat::Kind::Polysyndeton:
      made.labels = plain_labels(names, "the ");
      made.openers = with_openings("");
      made.separators = {" and "};
      made.closers = {".", "\n"};
      break;
  }
  if (!label_set.is_multilabel()) {
    made.separators.clear();
  } else if (format.kind != LabelFormat::Kind::Json) {
    made.empties = with_openings(std::string(kNoneLabel));
  }
  made.completion = completion_for(made.labels);
  return made;
}

AnswerFormat hazard_format(std::span<const std::string> codes) {
  AnswerFormat made;
  made.labels = plain_labels(codes);
  made.openers = with_verdict_openings("unsafe\n");
  made.separators = {",", ", "};
  made.closers = {"\n"};
  made.empties = with_verdict_openings("safe");
  made.completion = completion_for(made.labels);
  made.verdict = "unsafe";
  return made;
}

AnswerFormat verdict_format() {
  const std::vector<std::string> verdicts = {"unsafe", "safe"};
  AnswerFormat made;
  made.labels = plain_labels(verdicts);
  made.openers = with_verdict_openings("");
  made.closers = {"\n"};
  return made;
}

AnswerFormat sentence_format(std::string_view prefix,
                             std::string_view separator,
                             std::span<const std::string> labels) {
  AnswerFormat made;
  made.labels = plain_labels(labels);
  made.openers = with_openings(std::string(prefix));
  made.separators = {std::string(separator)};
  made.closers = {"."};
  made.completion = completion_for(made.labels);
  return made;
}

}  // namespace labelprobe::readout
