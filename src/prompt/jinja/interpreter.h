// Runs a template's tree.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "prompt/jinja/runtime.h"
#include "prompt/jinja/syntax.h"

namespace labelprobe::prompt::jinja {

// The names of a block, and of those around it. As in Jinja, the body of a loop or macro has names
// of its own: what is set there is gone behind it.
class Frame {
 public:
  explicit Frame(const Frame* around) : around_(around) {}

  const Value* find(const std::string& name) const;
  void set(const std::string& name, Value value);

 private:
  const Frame* around_;
  std::vector<std::pair<std::string, Value>> own_;
};

class Interpreter {
 public:
  // The tree must outlive it.
  Interpreter(const Block& tree, const std::vector<std::pair<std::string, Value>>& names);

  // What the template writes. Throws TemplateError; line() is where then.
  Text run();
  int line() const { return line_; }

 private:
  enum class Leap { None, Break, Continue };

  Leap run_block(const Block& block, Frame& frame, Text& out);
  Leap run_statement(const Statement& statement, Frame& frame, Text& out);
  Leap run_if(const Statement& statement, Frame& frame, Text& out);
  void run_loop(const Statement& statement, Frame& frame, Text& out);
  std::vector<Value> items_of_loop(const Statement& statement, Frame& frame);
  Leap run_with(const Statement& statement, Frame& frame, Text& out);
  void print(const Statement& statement, Frame& frame, Text& out);
  void run_set(const Statement& statement, Frame& frame);
  Leap run_captured(const Statement& statement, Frame& frame, Text& out);
  void define_macro(const Statement& statement, Frame& frame);
  Value call_macro(const Statement& macro, const Arguments& arguments);
  void assign(const std::vector<std::string>& names, const Value& value, Frame& frame);
  Value apply_filters(const Expression* filters, Value value, Frame& frame);

  Value evaluate(const Expression& expression, Frame& frame);
  Value evaluate_name(const Expression& expression, const Frame& frame);
  Value evaluate_series(const Expression& expression, Frame& frame);
  Value evaluate_dict(const Expression& expression, Frame& frame);
  Value evaluate_slice(const Expression& expression, Frame& frame);
  Value evaluate_call(const Expression& expression, Frame& frame);
  Value evaluate_sign(const Expression& expression, Frame& frame);
  Value evaluate_comparison(const Expression& expression, Frame& frame);
  Value evaluate_concat(const Expression& expression, Frame& frame);
  Value evaluate_conditional(const Expression& expression, Frame& frame);
  bool compare(const std::string& word, const Value& left, const Value& right);
  Arguments arguments_of(const Expression& expression, Frame& frame);

  const Block& tree_;
  Runtime runtime_;
  Frame given_;
  Frame top_;
  int line_ = 1;
};

}  // namespace labelprobe::prompt::jinja
