#include "prompt/jinja/parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/limits.h"

#include "prompt/jinja/budget.h"

namespace labelprobe::prompt::jinja {

namespace {

using StatementKind = Statement::Kind;

class StatementParser {
 public:
  explicit StatementParser(std::string_view text) : reader_(split(text)), expressions_(reader_) {}

  Block parse_all() {
    Block block = parse_block({});
    if (!reader_.is(Token::Kind::End)) reader_.refuse("the end of the template");
    return block;
  }

 private:
  // Statements up to a word of `ends`, at which the reader stands then; all if there are none.
  Block parse_block(const std::vector<std::string_view>& ends) {
    if (++depth_ > limits::kTemplateSyntaxDepth) {
      refuse_at(reader_.now().line,
                fmt::format("expected statements at most {} deep in each other, found more",
                            limits::kTemplateSyntaxDepth));
    }
    Block block;
    for (;;) {
      const Token& now = reader_.now();
      if (now.kind == Token::Kind::End) {
        if (!ends.empty()) reader_.refuse(fmt::format("{{% {} %}}", ends.back()));
        break;
      }
      if (now.kind == Token::Kind::Data) {
        block.push_back(make(StatementKind::Data));
        block.back().text = reader_.take().text;
      } else if (now.kind == Token::Kind::PrintBegin) {
        block.push_back(parse_print());
      } else {
        reader_.take();
        if (reader_.is(Token::Kind::Name) &&
            std::find(ends.begin(), ends.end(), reader_.now().text) != ends.end()) {
          break;
        }
        block.push_back(parse_statement());
      }
    }
    --depth_;
    return block;
  }

  Statement make(StatementKind kind) const {
    Statement made;
    made.kind = kind;
    made.line = reader_.now().line;
    return made;
  }

  void close() { reader_.expect(Token::Kind::StatementEnd, "'%}'"); }

  // The body up to {% <end> %}.
  Block parse_body(std::string_view end) {
    close();
    Block body = parse_block({end});
    reader_.take();
    close();
    return body;
  }

  Statement parse_print() {
    Statement made = make(StatementKind::Print);
    reader_.take();
    made.value = expressions_.parse_tuple();
    reader_.expect(Token::Kind::PrintEnd, "'}}'");
    return made;
  }

  Statement parse_statement() {
    const std::string word = reader_.expect_any_name("a statement");
    if (word == "if") return parse_if();
    if (word == "for") return parse_for();
    if (word == "set") return parse_set();
    if (word == "macro") return parse_macro();
    if (word == "with") return parse_with();
    if (word == "filter") return parse_filter();
    if (word == "break" || word == "continue") return parse_leap(word);
    if (word == "generation") {
      Statement made = make(StatementKind::Group);
      made.body = parse_body("endgeneration");
      return made;
    }
    refuse_at(
        reader_.now().line,
        fmt::format("statement '{}' is not supported (known: if, for, set, macro, with, filter, "
                    "break, continue, generation, raw)",
                    word));
  }

  Statement parse_if() {
    Statement made = make(StatementKind::If);
    std::string word = "if";
    while (word == "if" || word == "elif") {
      Statement::Branch branch;
      branch.condition = expressions_.parse_tuple();
      close();
      branch.body = parse_block({"elif", "else", "endif"});
      made.branches.push_back(std::move(branch));
      word = reader_.take().text;
    }
    if (word == "else") {
      made.otherwise = parse_body("endif");
    } else {
      close();
    }
    return made;
  }

  std::vector<std::string> parse_targets() {
    const bool has_brackets = reader_.skip_operator("(");
    std::vector<std::string> names;
    do {
      names.push_back(reader_.expect_any_name("a name"));
    } while (reader_.skip_operator(","));
    if (has_brackets) reader_.expect_operator(")");
    return names;
  }

  Statement parse_for() {
    Statement made = make(StatementKind::For);
    made.names = parse_targets();
    reader_.expect_name("in");
    made.value = parse_series();
    if (reader_.skip_name("if")) made.condition = expressions_.parse();
    if (reader_.is_name("recursive")) {
      reader_.refuse("the end of the statement (recursive loops are not supported)");
    }
    close();
    ++n_loops_;
    made.body = parse_block({"else", "endfor"});
    --n_loops_;
    if (reader_.take().text == "else") {
      made.otherwise = parse_body("endfor");
    } else {
      close();
    }
    return made;
  }

  // What a loop goes through; an `if` behind it is the loop's.
  ExpressionPtr parse_series() { return expressions_.parse_without_if(); }

  Statement parse_set() {
    Statement made = make(StatementKind::Set);
    made.names = parse_targets();
    if (made.names.size() == 1 && reader_.skip_operator(".")) {
      made.text = reader_.expect_any_name("a name behind '.'");
    }
    if (reader_.skip_operator("=")) {
      made.value = expressions_.parse_tuple();
      close();
      return made;
    }
    if (made.names.size() > 1 || !made.text.empty()) reader_.refuse("'='");
    made.kind = StatementKind::SetBlock;
    if (reader_.skip_operator("|")) made.expressions.push_back(expressions_.parse_filters());
    made.body = parse_body("endset");
    return made;
  }

  Statement parse_filter() {
    Statement made = make(StatementKind::Filter);
    made.expressions.push_back(expressions_.parse_filters());
    made.body = parse_body("endfilter");
    return made;
  }

  Statement parse_macro() {
    Statement made = make(StatementKind::Macro);
    if (n_loops_ > 0 || is_in_macro_) {
      refuse_at(made.line, "a macro inside a loop or another macro is not supported");
    }
    made.text = reader_.expect_any_name("the macro's name");
    reader_.expect_operator("(");
    while (!reader_.is_operator(")")) {
      made.names.push_back(reader_.expect_any_name("a parameter's name"));
      if (reader_.skip_operator("=")) {
        made.expressions.push_back(expressions_.parse());
      } else if (!made.expressions.empty()) {
        reader_.refuse("'=', as the parameter before has a default");
      }
      if (!reader_.skip_operator(",")) break;
    }
    reader_.expect_operator(")");
    is_in_macro_ = true;
    made.body = parse_body("endmacro");
    is_in_macro_ = false;
    return made;
  }

  Statement parse_with() {
    Statement made = make(StatementKind::With);
    while (reader_.is(Token::Kind::Name)) {
      made.names.push_back(reader_.take().text);
      reader_.expect_operator("=");
      made.expressions.push_back(expressions_.parse());
      if (!reader_.skip_operator(",")) break;
    }
    made.body = parse_body("endwith");
    return made;
  }

  Statement parse_leap(const std::string& word) {
    Statement made = make(word == "break" ? StatementKind::Break : StatementKind::Continue);
    if (n_loops_ == 0)
      refuse_at(made.line, fmt::format("expected a loop around '{}', found none", word));
    close();
    return made;
  }

  TokenReader reader_;
  ExpressionParser expressions_;
  int depth_ = 0;
  int n_loops_ = 0;
  bool is_in_macro_ = false;
};

}  // namespace

Block parse(std::string_view text) {
  if (text.size() > limits::kTemplateBytes) {
    refuse_at(1, fmt::format("expected a template of at most {} bytes, found {}",
                             limits::kTemplateBytes, text.size()));
  }
  return StatementParser(text).parse_all();
}

}  // namespace labelprobe::prompt::jinja
