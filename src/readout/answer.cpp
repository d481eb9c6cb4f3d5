#include "labelprobe/readout/answer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

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

std::vector<std::size_t> places_of(std::string_view name, std::string_view text) {
  std::vector<std::size_t> places;
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    places.push_back(at);
  }
  return places;
}

// True if `name` occurs in `text` somewhere else than inside a longer name that contains it.
bool is_named(const std::string& name,
              std::string_view text,
              const std::vector<std::string>& names) {
  std::vector<std::size_t> places = places_of(name, text);
  for (const std::string& longer : names) {
    if (longer.size() <= name.size() || longer.find(name) == std::string::npos) {
      continue;
    }
    for (const std::size_t begin : places_of(longer, text)) {
      std::erase_if(places, [&](std::size_t at) {
        return at >= begin && at + name.size() <= begin + longer.size();
      });
    }
  }
  return !places.empty();
}

// Bytes beyond ASCII count as letters: a word of another script goes on with them.
bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// Where `word` first stands by itself in `text`; npos if it does not.
std::size_t first_whole_word(std::string_view word, std::string_view text) {
  for (const std::size_t at : places_of(word, text)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word_byte(text[at - 1])) &&
        (end == text.size() || !is_word_byte(text[end]))) {
      return at;
    }
  }
  return std::string_view::npos;
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
      item = ascii_lower(python::strip(item));
    }
  }
  return items;
}

Labels predict_labels(std::string_view outs, const LabelFormat& format, const LabelSet& label_set) {
  Labels labels;
  const auto items = parse_items(outs, format);
  bool is_understood = items.has_value();
  if (items) {
    for (const std::string& item : *items) {
      if (const auto label = label_set.index_of(item)) {
        labels.push_back(*label);
      } else if (!label_set.is_multilabel() || item != kNoneLabel) {
        is_understood = false;
      }
    }
  }
  if (!is_understood) {
    labels.clear();
    const std::string lower = ascii_lower(outs);
    for (LabelIndex label = 0; label < label_set.size(); ++label) {
      if (is_named(label_set.names()[static_cast<std::size_t>(label)], lower, label_set.names())) {
        labels.push_back(label);
      }
    }
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  if (!label_set.is_multilabel()) {
    labels.resize(1);  // the first in label-set order; label 0 if there is none, as published
  }
  return labels;
}

Labels predict_word(std::string_view outs, const LabelFormat& format, const LabelSet& words) {
  if (const auto items = parse_items(outs, format); items && items->size() == 1) {
    if (const auto word = words.index_of(items->front())) {
      return {*word};
    }
  }
  const std::string lower = ascii_lower(outs);
  Labels named;
  std::size_t first = std::string_view::npos;
  for (LabelIndex word = 0; word < words.size(); ++word) {
    const std::size_t at = first_whole_word(words.names()[static_cast<std::size_t>(word)], lower);
    if (at < first) {
      first = at;
      named = {word};
    }
  }
  return named;
}

}  // namespace labelprobe::readout
