#include "prompt/jinja/interpreter.h"

#include <algorithm>

#include <fmt/format.h>

#include "labelprobe/core/limits.h"

namespace labelprobe::prompt::jinja {

using StatementKind = Statement::Kind;

const Value* Frame::find(const std::string& name) const {
  for (const Frame* frame = this; frame; frame = frame->around_) {
    for (const auto& [own, value] : frame->own_) {
      if (own == name) return &value;
    }
  }
  return nullptr;
}

void Frame::set(const std::string& name, Value value) {
  for (auto& [own, held] : own_) {
    if (own == name) {
      held = std::move(value);
      return;
    }
  }
  own_.emplace_back(name, std::move(value));
}

Interpreter::Interpreter(const Block& tree, const std::vector<std::pair<std::string, Value>>& names)
    : tree_(tree), given_(nullptr), top_(&given_) {
  for (const auto& [name, value] : names) given_.set(name, value);
}

Text Interpreter::run() {
  Text out;
  run_block(tree_, top_, out);
  return out;
}

Interpreter::Leap Interpreter::run_block(const Block& block, Frame& frame, Text& out) {
  for (const Statement& statement : block) {
    line_ = statement.line;
    runtime_.budget.spend_steps(1);
    const Leap leap = run_statement(statement, frame, out);
    if (leap != Leap::None) return leap;
  }
  return Leap::None;
}

Interpreter::Leap Interpreter::run_statement(const Statement& statement, Frame& frame, Text& out) {
  switch (statement.kind) {
    case StatementKind::Data:
      runtime_.budget.spend_bytes(statement.text.size());
      out.append(statement.text);
      break;
    case StatementKind::Print:
      print(statement, frame, out);
      break;
    case StatementKind::If:
      return run_if(statement, frame, out);
    case StatementKind::For:
      run_loop(statement, frame, out);
      break;
    case StatementKind::Set:
      run_set(statement, frame);
      break;
    case StatementKind::SetBlock:
    case StatementKind::Filter:
      return run_captured(statement, frame, out);
    case StatementKind::Macro:
      define_macro(statement, frame);
      break;
    case StatementKind::With:
      return run_with(statement, frame, out);
    case StatementKind::Group: {
      Frame inner(&frame);
      return run_block(statement.body, inner, out);
    }
    case StatementKind::Break:
      return Leap::Break;
    case StatementKind::Continue:
      return Leap::Continue;
  }
  return Leap::None;
}

void Interpreter::print(const Statement& statement, Frame& frame, Text& out) {
  append_string(out, evaluate(*statement.value, frame), runtime_.budget);
}

Interpreter::Leap Interpreter::run_if(const Statement& statement, Frame& frame, Text& out) {
  for (const Statement::Branch& branch : statement.branches) {
    if (evaluate(*branch.condition, frame).is_true()) return run_block(branch.body, frame, out);
  }
  return run_block(statement.otherwise, frame, out);
}

// With a condition, only the items for which it holds are counted.
std::vector<Value> Interpreter::items_of_loop(const Statement& statement, Frame& frame) {
  std::vector<Value> items = items_of(evaluate(*statement.value, frame), runtime_.budget);
  if (!statement.condition) return items;
  std::vector<Value> kept;
  for (const Value& item : items) {
    Frame inner(&frame);
    assign(statement.names, item, inner);
    if (evaluate(*statement.condition, inner).is_true()) kept.push_back(item);
  }
  return kept;
}

void Interpreter::run_loop(const Statement& statement, Frame& frame, Text& out) {
  Loop loop;
  loop.items = std::make_shared<const std::vector<Value>>(items_of_loop(statement, frame));
  for (; loop.index < loop.items->size(); ++loop.index) {
    runtime_.budget.spend_steps(1);
    Frame inner(&frame);
    inner.set("loop", Value(std::make_shared<const Loop>(loop)));
    assign(statement.names, (*loop.items)[loop.index], inner);
    if (run_block(statement.body, inner, out) == Leap::Break) break;
  }
  if (loop.items->empty()) {
    Frame inner(&frame);
    run_block(statement.otherwise, inner, out);
  }
}

Interpreter::Leap Interpreter::run_with(const Statement& statement, Frame& frame, Text& out) {
  Frame inner(&frame);
  for (std::size_t i = 0; i < statement.names.size(); ++i) {
    inner.set(statement.names[i], evaluate(*statement.expressions[i], frame));
  }
  return run_block(statement.body, inner, out);
}

void Interpreter::assign(const std::vector<std::string>& names, const Value& value, Frame& frame) {
  if (names.size() == 1) return frame.set(names.front(), value);
  const std::vector<Value> parts = items_of(value, runtime_.budget);
  if (parts.size() != names.size()) {
    throw TemplateError(fmt::format("expected {} values for {} names, found {}", names.size(),
                                    names.size(), parts.size()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) frame.set(names[i], parts[i]);
}

void Interpreter::run_set(const Statement& statement, Frame& frame) {
  Value value = evaluate(*statement.value, frame);
  if (statement.text.empty()) return assign(statement.names, value, frame);
  const Value* held = frame.find(statement.names.front());
  const auto* space = held ? held->as<std::shared_ptr<Namespace>>() : nullptr;
  if (!space) {
    throw TemplateError(fmt::format("expected a namespace to set '{}' in, found {}", statement.text,
                                    held ? held->kind() : "nothing"));
  }
  for (auto& [name, member] : (*space)->members) {
    if (name == statement.text) {
      member = std::move(value);
      return;
    }
  }
  runtime_.budget.spend_steps((*space)->members.size());
  (*space)->members.emplace_back(statement.text, std::move(value));
}

Value Interpreter::apply_filters(const Expression* filters, Value value, Frame& frame) {
  if (filters->parts.front()) {
    value = apply_filters(filters->parts.front().get(), std::move(value), frame);
  }
  return call_filter(filters->word, value, arguments_of(*filters, frame), runtime_);
}

// A body whose text is not written, but set or filtered.
Interpreter::Leap Interpreter::run_captured(const Statement& statement, Frame& frame, Text& out) {
  Text body;
  Frame inner(&frame);
  const Leap leap = run_block(statement.body, inner, body);
  if (leap != Leap::None) return leap;
  Value value = Value::text(std::move(body));
  if (!statement.expressions.empty()) {
    value = apply_filters(statement.expressions.front().get(), std::move(value), frame);
  }
  if (statement.kind == StatementKind::SetBlock) {
    frame.set(statement.names.front(), std::move(value));
  } else {
    append_string(out, value, runtime_.budget);
  }
  return Leap::None;
}

void Interpreter::define_macro(const Statement& statement, Frame& frame) {
  frame.set(statement.text, Value(std::make_shared<const Callable>(Callable{
                                statement.text, [this, &statement](const Arguments& arguments) {
                                  return call_macro(statement, arguments);
                                }})));
}

Value Interpreter::call_macro(const Statement& macro, const Arguments& arguments) {
  const int line = line_;
  if (++runtime_.n_calls > limits::kTemplateCallDepth) {
    throw TemplateError(
        fmt::format("expected macros to call each other at most {} deep, found more",
                    limits::kTemplateCallDepth));
  }
  Frame frame(&top_);
  for (const auto& [name, value] : arguments.named) {
    if (std::find(macro.names.begin(), macro.names.end(), name) == macro.names.end()) {
      throw TemplateError(fmt::format("{}: unknown argument '{}'", macro.text, name));
    }
  }
  if (arguments.positional.size() > macro.names.size()) {
    throw TemplateError(fmt::format("{}: expected at most {} arguments, found {}", macro.text,
                                    macro.names.size(), arguments.positional.size()));
  }
  const std::size_t n_required = macro.names.size() - macro.expressions.size();
  for (std::size_t i = 0; i < macro.names.size(); ++i) {
    const std::string& name = macro.names[i];
    if (const Value* value = arguments.find(i, name)) {
      frame.set(name, *value);
    } else if (i >= n_required) {
      frame.set(name, evaluate(*macro.expressions[i - n_required], frame));
    } else {
      frame.set(name, Value::undefined(fmt::format("parameter '{}' was not provided", name)));
    }
  }
  Text out;
  run_block(macro.body, frame, out);
  --runtime_.n_calls;
  line_ = line;
  return Value::text(std::move(out));
}

}  // namespace labelprobe::prompt::jinja
