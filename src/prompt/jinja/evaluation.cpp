// How the interpreter evaluates expressions.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "prompt/jinja/interpreter.h"

namespace labelprobe::prompt::jinja {

using Kind = Expression::Kind;

Value Interpreter::evaluate(const Expression& expression, Frame& frame) {
  runtime_.budget.spend_steps(1);
  line_ = expression.line;
  const auto part = [&](std::size_t i) { return evaluate(*expression.parts[i], frame); };
  switch (expression.kind) {
    case Kind::Literal:
      return expression.literal;
    case Kind::Name:
      return evaluate_name(expression, frame);
    case Kind::List:
    case Kind::Tuple:
      return evaluate_series(expression, frame);
    case Kind::Dict:
      return evaluate_dict(expression, frame);
    case Kind::Attribute:
      return attribute_of(part(0), expression.word, runtime_);
    case Kind::Item: {
      const Value value = part(0);
      return item_of(value, part(1), runtime_);
    }
    case Kind::Slice:
      return evaluate_slice(expression, frame);
    case Kind::Call:
    case Kind::Filter:
    case Kind::Test:
      return evaluate_call(expression, frame);
    case Kind::Not:
      return Value(!part(0).is_true());
    case Kind::Negative:
    case Kind::Positive:
      return evaluate_sign(expression, frame);
    case Kind::And: {
      Value left = part(0);
      return left.is_true() ? part(1) : left;
    }
    case Kind::Or: {
      Value left = part(0);
      return left.is_true() ? left : part(1);
    }
    case Kind::Compare:
      return evaluate_comparison(expression, frame);
    case Kind::Arithmetic: {
      const Value left = part(0);
      return arithmetic(expression.word, left, part(1), runtime_);
    }
    case Kind::Concat:
      return evaluate_concat(expression, frame);
    case Kind::Conditional:
      return evaluate_conditional(expression, frame);
  }
  return Value();
}

Value Interpreter::evaluate_name(const Expression& expression, const Frame& frame) {
  const Value* found = frame.find(expression.word);
  return found ? *found : global(expression.word, runtime_);
}

Value Interpreter::evaluate_series(const Expression& expression, Frame& frame) {
  std::vector<Value> items;
  for (const ExpressionPtr& part : expression.parts) items.push_back(evaluate(*part, frame));
  return Value::list(std::move(items), expression.kind == Kind::Tuple);
}

Value Interpreter::evaluate_dict(const Expression& expression, Frame& frame) {
  std::vector<std::pair<Value, Value>> items;
  for (std::size_t i = 0; i < expression.parts.size(); i += 2) {
    Value key = evaluate(*expression.parts[i], frame);
    Value value = evaluate(*expression.parts[i + 1], frame);
    if (!key.text() && !key.is_number() && !key.is<None>()) {
      throw TemplateError(
          fmt::format("expected a text, a number or none as a key, found {}", key.kind()));
    }
    runtime_.budget.spend_steps(items.size());
    const auto old = std::find_if(items.begin(), items.end(), [&](const auto& item) {
      return equal(item.first, key, runtime_.budget);
    });
    if (old != items.end()) {
      old->second = std::move(value);
    } else {
      items.emplace_back(std::move(key), std::move(value));
    }
  }
  return Value::dict(std::move(items));
}

Value Interpreter::evaluate_slice(const Expression& expression, Frame& frame) {
  const Value value = evaluate(*expression.parts[0], frame);
  Value bounds[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (expression.parts[i + 1]) bounds[i] = evaluate(*expression.parts[i + 1], frame);
  }
  line_ = expression.line;
  return slice_of(value, bounds[0], bounds[1], bounds[2], runtime_);
}

Arguments Interpreter::arguments_of(const Expression& expression, Frame& frame) {
  Arguments arguments;
  for (std::size_t i = 1; i < expression.parts.size(); ++i) {
    arguments.positional.push_back(evaluate(*expression.parts[i], frame));
  }
  for (const auto& [name, part] : expression.named) {
    arguments.named.emplace_back(name, evaluate(*part, frame));
  }
  line_ = expression.line;
  return arguments;
}

Value Interpreter::evaluate_call(const Expression& expression, Frame& frame) {
  const Value first = evaluate(*expression.parts[0], frame);
  const Arguments arguments = arguments_of(expression, frame);
  if (expression.kind == Kind::Filter) {
    return call_filter(expression.word, first, arguments, runtime_);
  }
  if (expression.kind == Kind::Test) {
    return Value(call_test(expression.word, first, arguments, runtime_));
  }
  return call(first, arguments);
}

Value Interpreter::evaluate_sign(const Expression& expression, Frame& frame) {
  const Value value = evaluate(*expression.parts[0], frame);
  const bool is_negative = expression.kind == Kind::Negative;
  return arithmetic(is_negative ? "-" : "+", Value(std::int64_t{0}), value, runtime_);
}

bool Interpreter::compare(const std::string& word, const Value& left, const Value& right) {
  if (word == "==") return equal(left, right, runtime_.budget);
  if (word == "!=") return !equal(left, right, runtime_.budget);
  if (word == "<") return less(left, right, runtime_.budget);
  if (word == ">") return less(right, left, runtime_.budget);
  if (word == "<=") return !less(right, left, runtime_.budget);
  if (word == ">=") return !less(left, right, runtime_.budget);
  return contains(right, left, runtime_) == (word == "in");
}

Value Interpreter::evaluate_comparison(const Expression& expression, Frame& frame) {
  Value left = evaluate(*expression.parts[0], frame);
  for (std::size_t i = 0; i < expression.words.size(); ++i) {
    Value right = evaluate(*expression.parts[i + 1], frame);
    line_ = expression.line;
    if (!compare(expression.words[i], left, right)) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Value Interpreter::evaluate_concat(const Expression& expression, Frame& frame) {
  Text text;
  for (const ExpressionPtr& part : expression.parts) {
    append_string(text, evaluate(*part, frame), runtime_.budget);
  }
  return Value::text(std::move(text));
}

Value Interpreter::evaluate_conditional(const Expression& expression, Frame& frame) {
  const bool holds = evaluate(*expression.parts[1], frame).is_true();
  if (holds) return evaluate(*expression.parts[0], frame);
  if (expression.parts[2]) return evaluate(*expression.parts[2], frame);
  return Value::undefined("the value of an 'if' without 'else' is undefined");
}

}  // namespace labelprobe::prompt::jinja
