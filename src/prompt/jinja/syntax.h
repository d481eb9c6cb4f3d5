// A template as a tree: what the parser makes and the interpreter goes through.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "prompt/jinja/value.h"

namespace labelprobe::prompt::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;

struct Expression {
  enum class Kind {
    Literal,
    Name,         // word
    List,         // parts
    Tuple,        // parts
    Dict,         // parts: key, value, key, value ..
    Attribute,    // parts[0].word
    Item,         // parts[0][parts[1]]
    Slice,        // parts[0][parts[1]:parts[2]:parts[3]], those not given null
    Call,         // parts[0](parts[1..], named)
    Filter,       // parts[0] | word(parts[1..], named)
    Test,         // parts[0] is word(parts[1..], named)
    Not,          // parts[0]
    Negative,     // parts[0]
    Positive,     // parts[0]
    And,          // parts[0], parts[1]
    Or,           // parts[0], parts[1]
    Compare,      // parts[0] words[0] parts[1] words[1] parts[2] ..
    Arithmetic,   // parts[0] word parts[1]
    Concat,       // parts, written one behind the other
    Conditional,  // parts[0] if parts[1] else parts[2], which may be null
  };
  Kind kind = Kind::Literal;
  int line = 0;
  int depth = 1;  // of the tree
  std::string word;
  Value literal;
  std::vector<std::string> words;
  std::vector<ExpressionPtr> parts;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind {
    Data,      // text
    Print,     // value
    If,        // branches, otherwise
    For,       // names in value if condition: body, otherwise
    Set,       // names = value; or names[0].text = value
    SetBlock,  // names[0] = body, through filters
    Filter,    // body, through filters
    Macro,     // text(names = defaults): body
    With,      // names = expressions: body
    Group,     // body
    Break,
    Continue,
  };
  struct Branch {
    ExpressionPtr condition;
    Block body;
  };
  Kind kind = Kind::Data;
  int line = 0;
  std::string text;
  std::vector<std::string> names;
  ExpressionPtr value;
  ExpressionPtr condition;
  // Defaults of a macro's last parameters, values of a with, or calls of filters without parts[0].
  std::vector<ExpressionPtr> expressions;
  std::vector<Branch> branches;
  Block body;
  Block otherwise;
};

}  // namespace labelprobe::prompt::jinja
