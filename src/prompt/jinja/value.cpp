#include "prompt/jinja/value.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/limits.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::prompt::jinja {

namespace {

int depth_of(const Value& value) {
  if (const List* list = value.list()) return list->depth;
  if (const Dict* dict = value.dict()) return dict->depth;
  return 0;
}

int depth_around(int deepest) {
  if (deepest >= limits::kTemplateValueDepth) {
    throw TemplateError(
        fmt::format("expected lists and mappings at most {} deep in each other, found more",
                    limits::kTemplateValueDepth));
  }
  return deepest + 1;
}

bool equal_lists(const List& a, const List& b, Budget& budget) {
  if (a.items.size() != b.items.size() || a.is_tuple != b.is_tuple) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!equal(a.items[i], b.items[i], budget)) return false;
  }
  return true;
}

bool equal_dicts(const Dict& a, const Dict& b, Budget& budget) {
  if (a.items.size() != b.items.size()) return false;
  budget.spend_steps(a.items.size() * b.items.size());
  for (const auto& [key, value] : a.items) {
    const Value* other = b.find(key);
    if (!other || !equal(value, *other, budget)) return false;
  }
  return true;
}

// Whether they are the same key of a mapping, without looking into lists.
bool same_key(const Value& a, const Value& b) {
  if (a.text() || b.text()) return a.text() && b.text() && a.text()->bytes() == b.text()->bytes();
  if (a.is_number() && b.is_number()) return as_double(a) == as_double(b);
  return a.is<None>() && b.is<None>();
}

Value value_of_json(const nlohmann::ordered_json& json, int& n_sources) {
  switch (json.type()) {
    case nlohmann::ordered_json::value_t::boolean:
      return Value(json.get<bool>());
    case nlohmann::ordered_json::value_t::number_integer:
    case nlohmann::ordered_json::value_t::number_unsigned:
      return Value(json.get<std::int64_t>());
    case nlohmann::ordered_json::value_t::number_float:
      return Value(json.get<double>());
    case nlohmann::ordered_json::value_t::string:
      return Value::text(json.get<std::string>());
    case nlohmann::ordered_json::value_t::array: {
      std::vector<Value> items;
      for (const auto& item : json) items.push_back(value_of_json(item, n_sources));
      return Value::list(std::move(items));
    }
    case nlohmann::ordered_json::value_t::object: {
      std::vector<std::pair<Value, Value>> items;
      for (const auto& [key, item] : json.items()) {
        items.emplace_back(Value::text(key),
                           key == "content" && item.is_string()
                               ? Value::text(Text::of_source(item.get<std::string>(), n_sources++))
                               : value_of_json(item, n_sources));
      }
      return Value::dict(std::move(items));
    }
    default:
      return Value();
  }
}

}  // namespace

void Budget::spend_steps(std::size_t n) {
  steps_left_ -= static_cast<std::int64_t>(n);
  if (steps_left_ < 0) {
    throw TemplateError(
        fmt::format("expected at most {} steps for one chat, found more", limits::kTemplateSteps));
  }
}

void Budget::spend_bytes(std::size_t n) {
  bytes_left_ -= static_cast<std::int64_t>(n);
  if (bytes_left_ < 0) {
    throw TemplateError(fmt::format("expected at most {} MiB of texts for one chat, found more",
                                    limits::kTemplateTextBytes >> 20));
  }
}

Value Value::list(std::vector<Value> items, bool is_tuple) {
  int deepest = 0;
  for (const Value& item : items) deepest = std::max(deepest, depth_of(item));
  return Value(
      std::make_shared<const List>(List{std::move(items), is_tuple, depth_around(deepest)}));
}

Value Value::dict(std::vector<std::pair<Value, Value>> items) {
  int deepest = 0;
  for (const auto& [key, value] : items) deepest = std::max(deepest, depth_of(value));
  return Value(std::make_shared<const Dict>(Dict{std::move(items), depth_around(deepest)}));
}

bool Value::is_true() const {
  if (is_undefined() || is<None>()) return false;
  if (is_number()) return as_double(*this) != 0;
  if (const Text* held = text()) return held->size() > 0;
  if (const List* held = list()) return !held->items.empty();
  if (const Dict* held = dict()) return !held->items.empty();
  return true;
}

std::string_view Value::kind() const {
  constexpr std::string_view kKinds[] = {"nothing",     "none",       "a boolean", "an integer",
                                         "a number",    "a text",     "a list",    "a mapping",
                                         "a namespace", "a function", "a loop"};
  return kKinds[held_.index()];
}

const Value* Dict::find(const Value& key) const {
  for (const auto& [own, value] : items) {
    if (same_key(own, key)) return &value;
  }
  return nullptr;
}

const Value* Dict::find_text(std::string_view key) const {
  for (const auto& [own, value] : items) {
    if (own.text() && own.text()->bytes() == key) return &value;
  }
  return nullptr;
}

const Value* Arguments::find(std::size_t place, std::string_view name) const {
  if (place < positional.size()) return &positional[place];
  for (const auto& [own, value] : named) {
    if (own == name) return &value;
  }
  return nullptr;
}

double as_double(const Value& number) {
  if (const bool* held = number.as<bool>()) return *held ? 1 : 0;
  if (const auto* held = number.as<std::int64_t>()) return static_cast<double>(*held);
  return *number.as<double>();
}

bool equal(const Value& a, const Value& b, Budget& budget) {
  budget.spend_steps(1);
  if (a.is_undefined() || b.is_undefined()) return a.is_undefined() && b.is_undefined();
  if (a.list() && b.list()) return equal_lists(*a.list(), *b.list(), budget);
  if (a.dict() && b.dict()) return equal_dicts(*a.dict(), *b.dict(), budget);
  if (const auto* space = a.as<std::shared_ptr<Namespace>>()) {
    const auto* other = b.as<std::shared_ptr<Namespace>>();
    return other && *space == *other;
  }
  if (const auto* function = a.as<std::shared_ptr<const Callable>>()) {
    const auto* other = b.as<std::shared_ptr<const Callable>>();
    return other && *function == *other;
  }
  return same_key(a, b);
}

bool less(const Value& a, const Value& b, Budget& budget) {
  budget.spend_steps(1);
  if (a.is_number() && b.is_number()) return as_double(a) < as_double(b);
  if (a.text() && b.text()) return a.text()->bytes() < b.text()->bytes();
  if (a.list() && b.list()) {
    const auto& left = a.list()->items;
    const auto& right = b.list()->items;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
      if (!equal(left[i], right[i], budget)) return less(left[i], right[i], budget);
    }
    return left.size() < right.size();
  }
  throw TemplateError(fmt::format("expected two numbers or two texts to compare, found {} and {}",
                                  a.kind(), b.kind()));
}

std::vector<Value> characters_of(const Text& text, Budget& budget) {
  std::vector<Value> characters;
  budget.spend_steps(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at + length_at(text.bytes(), at);
    characters.push_back(Value::text(text.part(at, end)));
    at = end;
  }
  return characters;
}

std::vector<Value> items_of(const Value& value, Budget& budget) {
  if (value.is_undefined()) return {};
  if (const Text* text = value.text()) return characters_of(*text, budget);
  if (const List* list = value.list()) {
    budget.spend_steps(list->items.size());
    return list->items;
  }
  if (const Dict* dict = value.dict()) {
    budget.spend_steps(dict->items.size());
    std::vector<Value> keys;
    for (const auto& [key, member] : dict->items) keys.push_back(key);
    return keys;
  }
  throw TemplateError(
      fmt::format("expected a list, a mapping or a text to go through, found {}", value.kind()));
}

Value value_of_json(const nlohmann::ordered_json& json) {
  int n_sources = 0;
  return value_of_json(json, n_sources);
}

}  // namespace labelprobe::prompt::jinja
