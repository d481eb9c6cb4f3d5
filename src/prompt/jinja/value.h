// The values of a template: Python's, as Jinja has them. Lists and mappings never change once they
// are made, as in the sandbox that transformers runs templates in; only a namespace does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "prompt/jinja/budget.h"
#include "prompt/jinja/text.h"

namespace labelprobe::prompt::jinja {

class Value;
struct List;
struct Dict;
struct Namespace;
struct Callable;
struct Loop;

// What a name or key that is not there stands for: empty, false, and an error in anything else.
struct Undefined {
  std::string what;  // "'tools' is undefined"
};

struct None {};

using TextPtr = std::shared_ptr<const Text>;
using ListPtr = std::shared_ptr<const List>;
using DictPtr = std::shared_ptr<const Dict>;

class Value {
 public:
  using Held = std::variant<Undefined,
                            None,
                            bool,
                            std::int64_t,
                            double,
                            TextPtr,
                            ListPtr,
                            DictPtr,
                            std::shared_ptr<Namespace>,
                            std::shared_ptr<const Callable>,
                            std::shared_ptr<const Loop>>;

  Value() : held_(None{}) {}
  template <typename Kind>
  requires std::is_constructible_v<Held, Kind> Value(Kind held)
      : held_(std::move(held)) {}  // NOLINT: a value is what it holds
  static Value text(std::string own) { return Value(std::make_shared<const Text>(std::move(own))); }
  static Value text(Text text) { return Value(std::make_shared<const Text>(std::move(text))); }
  static Value list(std::vector<Value> items, bool is_tuple = false);
  static Value dict(std::vector<std::pair<Value, Value>> items);  // keys occur once
  static Value undefined(std::string what) { return Value(Undefined{std::move(what)}); }

  template <typename Kind>
  bool is() const {
    return std::holds_alternative<Kind>(held_);
  }
  template <typename Kind>
  const Kind* as() const {
    return std::get_if<Kind>(&held_);
  }

  bool is_undefined() const { return is<Undefined>(); }
  bool is_number() const { return is<bool>() || is<std::int64_t>() || is<double>(); }
  // Null where it holds something else.
  const Text* text() const { return is<TextPtr>() ? std::get<TextPtr>(held_).get() : nullptr; }
  const List* list() const { return is<ListPtr>() ? std::get<ListPtr>(held_).get() : nullptr; }
  const Dict* dict() const { return is<DictPtr>() ? std::get<DictPtr>(held_).get() : nullptr; }

  bool is_true() const;

  // "a text", "a list": for messages.
  std::string_view kind() const;

 private:
  Held held_;
};

struct List {
  std::vector<Value> items;
  bool is_tuple = false;
  int depth = 1;  // 1: no lists or mappings in it
};

struct Dict {
  std::vector<std::pair<Value, Value>> items;  // in order
  int depth = 1;

  const Value* find(const Value& key) const;  // null if it is not there
  const Value* find_text(std::string_view key) const;
};

struct Namespace {
  std::vector<std::pair<std::string, Value>> members;
};

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // The argument at this place or of this name; null if it is not given.
  const Value* find(std::size_t place, std::string_view name) const;
};

struct Callable {
  std::string name;
  std::function<Value(const Arguments&)> call;
};

// What `loop` is in the body of a loop.
struct Loop {
  std::shared_ptr<const std::vector<Value>> items;
  std::size_t index = 0;  // from 0 on
};

// Python's ==, and its < (TemplateError where Python has none).
bool equal(const Value& a, const Value& b, Budget& budget);
bool less(const Value& a, const Value& b, Budget& budget);

// A number as a double; the value is_number().
double as_double(const Value& number);

// str() and repr(), appended. An undefined value is empty.
void append_string(Text& out, const Value& value, Budget& budget);
void append_repr(Text& out, const Value& value, Budget& budget);
Text to_text(const Value& value, Budget& budget);

// What a loop over the value goes through. Throws TemplateError for what is no series.
std::vector<Value> items_of(const Value& value, Budget& budget);

// The characters of a text, each a text.
std::vector<Value> characters_of(const Text& text, Budget& budget);

// JSON as Python's json.dumps writes it, without escapes for what is not ASCII unless asked for.
struct JsonStyle {
  int indent = -1;  // -1: on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool is_ascii = false;
  bool sorts_keys = false;
};
void append_json(Text& out, const Value& value, const JsonStyle& style, Budget& budget);

// Values of a JSON document; texts at "content" are the source `n` in the order in which they
// occur, the first of them 0.
Value value_of_json(const nlohmann::ordered_json& json);

}  // namespace labelprobe::prompt::jinja
