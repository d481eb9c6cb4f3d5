#include "data/forms/list_text.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/python/text.h"

namespace labelprobe::data {

namespace {

// The Python string at `at`, behind which it then stands; unset if it is not closed or has an
// escape that labels do not have.
std::optional<std::string> python_string(std::string_view text, std::size_t& at) {
  constexpr std::array<std::pair<char, char>, 5> kEscapes = {
      {{'\\', '\\'}, {'\'', '\''}, {'"', '"'}, {'n', '\n'}, {'t', '\t'}}};
  const char quote = text[at++];
  std::string value;
  for (; at < text.size() && text[at] != quote; ++at) {
    if (text[at] != '\\') {
      value += text[at];
      continue;
    }
    ++at;
    bool is_known = false;
    for (const auto& [spelled, meant] : kEscapes) {
      if (at < text.size() && text[at] == spelled) {
        value += meant;
        is_known = true;
        break;
      }
    }
    if (!is_known) return std::nullopt;
  }
  return at++ < text.size() ? std::optional(value) : std::nullopt;
}

// The same list in JSON's spelling; empty if it has something that JSON does not.
std::string as_json(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWords = {
      {{"None", "null"}, {"True", "true"}, {"False", "false"}}};
  std::string spelled;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\'' || text[at] == '"') {
      const std::optional<std::string> value = python_string(text, at);
      if (!value) return "";
      spelled +=
          nlohmann::json(*value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      continue;
    }
    std::string_view word = text.substr(at, 1);
    std::string_view meant = word;
    for (const auto& [python, json] : kWords) {
      if (text.substr(at).starts_with(python)) {
        word = python;
        meant = json;
      }
    }
    spelled += meant;
    at += word.size();
  }
  return spelled;
}

// Null for what is no JSON, and for what is nested more deeply than any file's.
nlohmann::json parsed(std::string_view text) {
  try {
    return files::parse_json(text, {"a cell"}).value();
  } catch (const DataError&) {
    return nullptr;
  }
}

}  // namespace

nlohmann::json list_of_text(std::string_view text) {
  text = python::strip(text);
  if (!text.starts_with('[') || !text.ends_with(']')) return nullptr;
  nlohmann::json list = parsed(text);
  if (list.is_null()) list = parsed(as_json(text));
  return list.is_array() ? list : nlohmann::json(nullptr);
}

}  // namespace labelprobe::data
