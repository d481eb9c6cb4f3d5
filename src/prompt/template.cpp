#include "labelprobe/prompt/template.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/mapped_file.h"
#include "labelprobe/python/text.h"

#include "prompt/default_templates.h"

namespace labelprobe::prompt {

namespace {

const std::string kText = "{text}";
const std::string kLabel = "{label}";
const std::string kCot = "{cot}";
const std::string kWord = "{r}";
const std::string kLabels = "{labels}";
const std::array kAll = {kText, kLabel, kCot, kWord, kLabels};

struct Insertion {
  std::string_view placeholder;
  std::string_view text;
};

// One pass over the template, so that placeholders in an inserted text stay what they are.
std::string fill(std::string_view text, std::span<const Insertion> insertions) {
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const auto found = std::find_if(
        insertions.begin(), insertions.end(),
        [&](const Insertion& insertion) { return rest.starts_with(insertion.placeholder); });
    if (found != insertions.end()) {
      filled.append(found->text);
      at += found->placeholder.size();
    } else {
      const std::size_t next = std::min(rest.find('{', 1), rest.size());
      filled.append(rest.substr(0, next));
      at += next;
    }
  }
  return filled;
}

// The words in braces that could be placeholders: {word}, with the braces.
std::vector<std::string> words_in_braces(std::string_view text) {
  const auto is_word_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::vector<std::string> words;
  for (std::size_t open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    std::size_t end = open + 1;
    while (end < text.size() && is_word_char(text[end])) {
      ++end;
    }
    if (end > open + 1 && end < text.size() && text[end] == '}') {
      words.emplace_back(text.substr(open, end + 1 - open));
    }
  }
  return words;
}

// What a template may hold, and what it has to hold.
struct Form {
  std::string name;  // of the template, for messages
  std::vector<std::string> required;
  std::vector<std::string> optional = {};
  bool takes_other_braces = true;
};

void check_form(std::string_view text, const Form& form) {
  std::vector<std::string> known = form.required;
  known.insert(known.end(), form.optional.begin(), form.optional.end());
  const std::vector<std::string> words = words_in_braces(text);
  const auto fail = [&](const std::string& expected, const std::string& found) {
    throw ConfigError(fmt::format("{}: expected {}, found {}", form.name, expected, found));
  };
  const auto is_known = [&](const std::string& word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  };
  for (const std::string& word : words) {
    if (is_known(word)) continue;
    const bool is_elsewhere = std::find(kAll.begin(), kAll.end(), word) != kAll.end();
    const std::string near = is_elsewhere ? "" : nearest_choice(word, known);
    if (is_elsewhere || !near.empty() || !form.takes_other_braces) {
      fail(fmt::format("no placeholder but {}", fmt::join(known, ", ")),
           fmt::format("'{}'{}", word, near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
  }
  for (const std::string& wanted : form.required) {
    if (text.find(wanted) == std::string_view::npos) {
      fail("the placeholder " + wanted, fmt::format("none in '{}'", text));
    }
  }
}

void check_query(const Templates& templates, const std::string& name) {
  std::vector<std::string> required = {kText};
  if (templates.is_pair()) required.push_back(kLabel);
  check_form(templates.query, {name, required, {}, false});
}

// Where the answer stands in the incontext template.
std::string_view answer_placeholder(const Templates& templates) {
  return templates.is_pair() ? kWord : kLabel;
}

void expect_utf8(const std::optional<std::string>& text, std::string_view template_name) {
  if (text && !is_utf8(*text)) {
    throw ConfigError(fmt::format("{}: expected UTF-8 text, found other bytes", template_name));
  }
}

std::string with_labels(const std::optional<std::string>& given,
                        std::string_view otherwise,
                        const std::string& labels,
                        const std::string& template_name) {
  if (given && *given == kEmptyMark) {
    return "";
  }
  if (given) check_form(*given, {template_name, {}, {kLabels}});
  return fill(given ? std::string_view(*given) : otherwise, std::array{Insertion{kLabels, labels}});
}

// The demonstration that stands in where neither it nor its halves are given.
std::string default_incontext(const Templates& templates,
                              DefaultTemplates defaults,
                              const LabelSet& label_set) {
  if (templates.is_pair()) return std::string(kDefaultPairIncontext);
  if (defaults == DefaultTemplates::Published) {
    return fmt::format("{}\n{}\n", kDefaultUser, kDefaultAssistant);
  }
  return std::string(label_set.is_multilabel() ? kLabellingMultiLabelIncontext
                                               : kLabellingSingleLabelIncontext);
}

void resolve_incontext(Templates& templates,
                       const TemplateOptions& options,
                       const LabelSet& label_set) {
  std::string name = "incontext template";
  if (options.incontext) {
    templates.incontext = *options.incontext;
  } else if (options.user || options.assistant) {
    templates.incontext = fmt::format("{}\n{}\n", options.user.value_or(std::string(kDefaultUser)),
                                      options.assistant.value_or(std::string(kDefaultAssistant)));
    name += " (made of user and assistant)";
  } else {
    templates.incontext = default_incontext(templates, options.defaults, label_set);
  }
  std::vector<std::string> required = {kText, kLabel};
  if (templates.is_pair()) required.push_back(kWord);
  check_form(templates.incontext, {name, required, {kCot}});
}

// The halves of a demonstration: together they have to hold what it needs.
void check_halves(const Templates& templates, const TemplateOptions& options) {
  std::vector<std::string> of_user = {kText};
  std::vector<std::string> of_assistant = {kLabel, kCot};
  if (templates.is_pair()) {
    of_user.push_back(kLabel);
    of_assistant.push_back(kWord);
  }
  if (options.user) check_form(*options.user, {"user template", {}, of_user});
  if (options.assistant) check_form(*options.assistant, {"assistant template", {}, of_assistant});
}

void resolve_query(Templates& templates, const TemplateOptions& options) {
  const std::string user = options.user.value_or(std::string(kDefaultUser));
  // A user template without the label cannot ask about it, so that pair prompts take the other way.
  const bool is_user = (options.user || options.assistant) &&
                       (!templates.is_pair() || user.find(kLabel) != std::string::npos);
  if (options.query) {
    templates.query = *options.query;
    check_query(templates, "query template");
  } else if (is_user) {
    templates.query = user;
    check_query(templates, "query template (the user template)");
  } else {
    const std::string_view incontext = templates.incontext;
    templates.query = incontext.substr(
        0, std::min(incontext.find(kCot), incontext.find(answer_placeholder(templates))));
    check_query(templates, "query template (the incontext template up to the answer)");
  }
}

}  // namespace

std::string text_or_file(const std::string& text_or_path) {
  std::error_code ignored;  // a long literal text is no file name, and that is no error
  if (!std::filesystem::is_regular_file(text_or_path, ignored)) {
    if (text_or_path.ends_with(".txt") &&
        text_or_path.find_first_of(" \t\r\n{") == std::string::npos) {
      throw ConfigError(text_or_path + ": expected a template file, found no file of that name");
    }
    return text_or_path;
  }
  std::string content(files::MappedFile(text_or_path).text());
  if (!is_utf8(content)) {
    throw DataError(text_or_path + ": expected UTF-8 text, found other bytes");
  }
  return content;
}

Templates Templates::resolve(const TemplateOptions& options, const LabelSet& label_set) {
  expect_utf8(options.system, "system template");
  expect_utf8(options.instruction, "instruction template");
  expect_utf8(options.incontext, "incontext template");
  expect_utf8(options.query, "query template");
  expect_utf8(options.user, "user template");
  expect_utf8(options.assistant, "assistant template");

  Templates templates;
  templates.label_format = options.label_format;
  templates.user = options.user.value_or(std::string(kDefaultUser));
  templates.assistant = options.assistant.value_or(std::string(kDefaultAssistant));
  templates.pair_words = options.pair_words;
  const std::string labels = enumerate_labels(
      templates.is_pair() ? LabelSet(options.pair_words, LabelKind::SingleLabel) : label_set);
  const std::string_view no_system;
  templates.system =
      with_labels(options.system,
                  options.defaults == DefaultTemplates::Published ? kPublishedSystem : no_system,
                  labels, "system template");
  templates.instruction = with_labels(options.instruction,
                                      templates.is_pair()         ? kDefaultPairInstruction
                                      : label_set.is_multilabel() ? kDefaultMultiLabelInstruction
                                                                  : kDefaultSingleLabelInstruction,
                                      labels, "instruction template");
  check_halves(templates, options);
  resolve_incontext(templates, options, label_set);
  resolve_query(templates, options);
  return templates;
}

std::string Templates::before_text() const {
  return incontext.substr(
      0, std::min({incontext.find(kText), incontext.find(kLabel), incontext.find(kCot),
                   incontext.find(answer_placeholder(*this))}));
}

std::optional<std::string> Templates::between_cot_and_label() const {
  const std::size_t cot = incontext.find(kCot);
  const std::size_t answer = incontext.find(answer_placeholder(*this));
  if (cot == std::string::npos || answer == std::string::npos || answer < cot) {
    return std::nullopt;
  }
  const std::size_t begin = cot + kCot.size();
  return std::string(python::strip(std::string_view(incontext).substr(begin, answer - begin)));
}

std::string fill_incontext(const Templates& templates,
                           std::string_view text,
                           std::string_view formatted_label,
                           std::optional<std::string_view> cot) {
  return fill(templates.incontext,
              std::array{Insertion{kText, text}, Insertion{kLabel, formatted_label},
                         Insertion{kCot, cot.value_or(kCot)}});
}

std::string fill_query(const Templates& templates, std::string_view text) {
  return fill(templates.query, std::array{Insertion{kText, text}});
}

std::string fill_pair_incontext(const Templates& templates,
                                std::string_view text,
                                std::string_view formatted_label,
                                std::string_view word,
                                std::optional<std::string_view> cot) {
  return fill(templates.incontext,
              std::array{Insertion{kText, text}, Insertion{kLabel, formatted_label},
                         Insertion{kWord, word}, Insertion{kCot, cot.value_or(kCot)}});
}

std::string fill_pair_query(const Templates& templates,
                            std::string_view text,
                            std::string_view formatted_label) {
  return fill(templates.query,
              std::array{Insertion{kText, text}, Insertion{kLabel, formatted_label}});
}

}  // namespace labelprobe::prompt
