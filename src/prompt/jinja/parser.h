// Makes a tree of a template's tokens.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "prompt/jinja/lexer.h"
#include "prompt/jinja/syntax.h"

namespace labelprobe::prompt::jinja {

// The tokens of a template, one after the other.
class TokenReader {
 public:
  explicit TokenReader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& now() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  Token take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }

  bool is(Token::Kind kind) const { return now().kind == kind; }
  bool is_operator(std::string_view text) const;
  bool is_name(std::string_view text) const;
  bool skip_operator(std::string_view text);  // whether it was there
  bool skip_name(std::string_view text);

  // Throw TemplateError if it is not there.
  void expect_operator(std::string_view text);
  void expect_name(std::string_view text);
  void expect(Token::Kind kind, std::string_view what);
  std::string expect_any_name(std::string_view what);

  [[noreturn]] void refuse(std::string_view expected) const;

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

// Expressions, at the place the reader stands at.
class ExpressionParser {
 public:
  explicit ExpressionParser(TokenReader& reader) : reader_(reader) {}

  ExpressionPtr parse();  // with `if .. else`
  ExpressionPtr parse_without_if();
  ExpressionPtr parse_tuple();    // one expression, or several with commas between them
  ExpressionPtr parse_filters();  // of a block: name(arguments) | name .., null if there are none

 private:
  friend class Deeper;
  using Made = std::unique_ptr<Expression>;

  Made make(Expression::Kind kind, std::string word = "") const;
  ExpressionPtr finish(Made made) const;
  ExpressionPtr join(Expression::Kind kind,
                     ExpressionPtr left,
                     ExpressionPtr right,
                     std::string word = "") const;
  ExpressionPtr parse_and();
  ExpressionPtr parse_not();
  ExpressionPtr parse_comparison();
  ExpressionPtr parse_sum();
  ExpressionPtr parse_concat();
  ExpressionPtr parse_product();
  ExpressionPtr parse_power();
  ExpressionPtr parse_unary(bool with_filters);
  ExpressionPtr parse_primary();
  ExpressionPtr parse_name();
  ExpressionPtr parse_literal();
  ExpressionPtr parse_brackets();
  ExpressionPtr parse_dict();
  ExpressionPtr parse_postfix(ExpressionPtr value);
  ExpressionPtr parse_item(ExpressionPtr value);
  ExpressionPtr parse_call(ExpressionPtr value);
  ExpressionPtr parse_filters_and_tests(ExpressionPtr value);
  ExpressionPtr parse_filter(ExpressionPtr value);
  ExpressionPtr parse_test(ExpressionPtr value);
  void parse_arguments(Expression& call);

  TokenReader& reader_;
  int depth_ = 0;
};

// The statements of a whole template. Throws TemplateError, beginning with "<line>: ", for what is
// no template and for statements that are not supported.
Block parse(std::string_view text);

}  // namespace labelprobe::prompt::jinja
