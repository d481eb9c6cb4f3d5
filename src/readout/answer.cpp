#include "labelprobe/readout/answer.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/python/text.h"

namespace labelprobe::readout {

namespace {

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (std::size_t found = text.find(separator); found != std::string_view::npos;
       found = text.find(separator, at)) {
    parts.emplace_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  parts.emplace_back(text.substr(at));
  return parts;
}

// The list or single string under `key` of the object between the first '{' and the last '}'.
std::optional<std::vector<std::string>> parse_json_items(std::string_view outs,
                                                         const std::string& key) {
  const std::size_t begin = outs.find('{');
  const std::size_t end = outs.rfind('}');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return std::nullopt;
  }
  // Models can nest without end, and the parser recurses.
  const std::string_view object_text = outs.substr(begin, end - begin + 1);
  if (std::count(object_text.begin(), object_text.end(), '[') > 64 ||
      std::count(object_text.begin(), object_text.end(), '{') > 64) {
    return std::nullopt;
  }
  const nlohmann::json object =
      nlohmann::json::parse(object_text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains(key)) {
    return std::nullopt;
  }
  const nlohmann::json& content = object[key];
  if (content.is_string()) {
    return std::vector<std::string>{content.get<std::string>()};
  }
  if (!content.is_array()) {
    return std::nullopt;
  }
  std::vector<std::string> items;
  for (const nlohmann::json& item : content) {
    if (!item.is_string()) {
      return std::nullopt;
    }
    items.push_back(item.get<std::string>());
  }
  return items;
}

constexpr auto kParsers =
    enum_names<Parser>("parser", {{Parser::Words, "words"}, {Parser::Published, "published"}});

std::vector<std::size_t> places_of(std::string_view name, std::string_view text, Parser parser) {
  const auto next = [&](std::size_t from) {
    return parser == Parser::Words ? find_word(text, name, from) : text.find(name, from);
  };
  std::vector<std::size_t> places;
  for (std::size_t at = next(0); at != std::string_view::npos; at = next(at + 1)) {
    places.push_back(at);
  }
  return places;
}

// True if `name` occurs in `text` somewhere else than inside a longer name that contains it.
bool is_named(const std::string& name,
              std::string_view text,
              const std::vector<std::string>& names,
              Parser parser) {
  std::vector<std::size_t> places = places_of(name, text, parser);
  for (const std::string& longer : names) {
    if (longer.size() <= name.size() || longer.find(name) == std::string::npos) {
      continue;
    }
    for (const std::size_t begin : places_of(longer, text, parser)) {
      std::erase_if(places, [&](std::size_t at) {
        return at >= begin && at + name.size() <= begin + longer.size();
      });
    }
  }
  return !places.empty();
}

// The four hexadecimal digits at `at`; unset if they are none.
std::optional<std::uint32_t> code_unit_at(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return std::nullopt;
  std::uint32_t unit = 0;
  const char* const end = text.data() + at + 4;
  const auto [stop, error] = std::from_chars(text.data() + at, end, unit, 16);
  return error == std::errc() && stop == end ? std::optional(unit) : std::nullopt;
}

// JSON that no parser takes, with the characters in place of their escapes ("\u00dc").
std::string without_escapes(std::string_view text) {
  constexpr std::string_view kEscape = "\\u";
  std::string plain;
  while (!text.empty()) {
    std::size_t n_taken = 6;
    auto code = text.starts_with(kEscape) ? code_unit_at(text, 2) : std::nullopt;
    if (code && (*code & 0xFC00u) == 0xD800u && text.substr(6).starts_with(kEscape)) {
      const auto low = code_unit_at(text, 8);
      if (low && (*low & 0xFC00u) == 0xDC00u) {
        code = 0x10000 + ((*code & 0x3FFu) << 10) + (*low & 0x3FFu);
        n_taken = 12;
      }
    }
    const bool is_surrogate = code && (*code & 0xFFFFF800u) == 0xD800u;
    if (code && !is_surrogate) {
      append_utf8(plain, *code);
    } else {
      n_taken = 1;
      plain += text.front();
    }
    text.remove_prefix(n_taken);
  }
  return plain;
}

// The labels that occur in an answer, in label-set order.
Labels search_labels(std::string_view outs, const AnswerRule& rule, const LabelSet& label_set) {
  const Parser parser = rule.parser;
  const bool may_have_escapes =
      rule.label_format.kind == LabelFormat::Kind::Json && parser == Parser::Words;
  const std::string text = folded(may_have_escapes ? without_escapes(outs) : std::string(outs));
  std::vector<std::string> names;
  for (const std::string& name : label_set.names()) {
    names.push_back(folded(name));
  }
  Labels labels;
  for (LabelIndex label = 0; label < label_set.size(); ++label) {
    if (is_named(names[static_cast<std::size_t>(label)], text, names, parser)) {
      labels.push_back(label);
    }
  }
  return labels;
}

// The labels that an answer lists, unset if it lists anything else.
std::optional<Labels> listed_labels(std::string_view outs,
                                    const LabelFormat& format,
                                    const LabelSet& label_set) {
  const auto items = parse_items(outs, format);
  if (!items) return std::nullopt;
  Labels labels;
  for (const std::string& item : *items) {
    if (const auto label = label_set.index_of(item)) {
      labels.push_back(*label);
    } else if (!label_set.is_multilabel() || item != kNoneLabel) {
      return std::nullopt;
    }
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

}  // namespace

Answer split_answer(std::string_view text, const AnswerRule& rule) {
  Answer answer;
  std::string_view whole = python::strip(text);
  const std::size_t cut = rule.stop.empty() ? std::string_view::npos : whole.find(rule.stop);
  if (cut != std::string_view::npos) {
    answer.residual_outs = whole.substr(cut);
    whole = python::strip(whole.substr(0, cut));
  }
  if (!rule.cot_marker) {
    answer.outs = whole;
    return answer;
  }
  const std::size_t marker = whole.find(*rule.cot_marker);
  answer.prefix_outs = std::string(whole.substr(0, marker));
  if (marker != std::string_view::npos) {
    answer.outs = python::strip(whole.substr(marker));
  }
  return answer;
}

std::optional<std::vector<std::string>> parse_items(std::string_view outs,
                                                    const LabelFormat& format) {
  std::optional<std::vector<std::string>> items;
  switch (format.kind) {
    case LabelFormat::Kind::List:
      items = split(outs, ",");
      break;
    case LabelFormat::Kind::Json:
      items = parse_json_items(outs, format.json_key);
      break;
    case LabelFormat::Kind::Polysyndeton:
      items = split(outs, " and ");
      for (std::string& item : *items) {
        constexpr std::string_view kArticle = "the ";
        if (item.starts_with(kArticle)) {
          item.erase(0, kArticle.size());
        }
      }
      break;
  }
  if (items) {
    for (std::string& item : *items) {
      item = folded(python::strip(item));
    }
  }
  return items;
}

Parser parse_parser(std::string_view name) {
  return kParsers.parse(name);
}

Prediction predict_labels(std::string_view outs,
                          const AnswerRule& rule,
                          const LabelSet& label_set) {
  using enum record::AnswerSource;
  Prediction made;
  if (auto listed = listed_labels(outs, rule.label_format, label_set)) {
    made = {std::move(*listed), Listed};
  } else {
    made.labels = search_labels(outs, rule, label_set);
    made.source = made.labels.empty() ? Nothing : Searched;
  }
  if (!label_set.is_multilabel()) {
    made.labels.resize(1);  // the first in label-set order; label 0 if there is none, as published
  }
  return made;
}

Prediction predict_word(std::string_view outs, const AnswerRule& rule, const LabelSet& words) {
  using enum record::AnswerSource;
  if (const auto items = parse_items(outs, rule.label_format); items && items->size() == 1) {
    if (const auto word = words.index_of(items->front())) {
      return {{*word}, Listed};
    }
  }
  const std::string text = folded(outs);
  Prediction named;
  std::size_t first = std::string_view::npos;
  for (LabelIndex word = 0; word < words.size(); ++word) {
    const std::size_t at = find_word(text, folded(words.names()[static_cast<std::size_t>(word)]));
    if (at < first) {
      first = at;
      named = {{word}, Searched};
    }
  }
  return named;
}

}  // namespace labelprobe::readout
