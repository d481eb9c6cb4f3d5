// What stands behind a value: attributes, items, calls, filters, tests.
#include <array>
#include <utility>

#include "prompt/jinja/parser.h"

namespace labelprobe::prompt::jinja {

using Kind = Expression::Kind;

ExpressionPtr ExpressionParser::parse_postfix(ExpressionPtr value) {
  for (;;) {
    if (reader_.is_operator(".")) {
      reader_.take();
      auto made = make(reader_.is(Token::Kind::Integer) ? Kind::Item : Kind::Attribute);
      made->parts.push_back(std::move(value));
      if (made->kind == Kind::Item) {
        made->parts.push_back(parse_literal());
      } else {
        made->word = reader_.expect_any_name("a name behind '.'");
      }
      value = finish(std::move(made));
    } else if (reader_.is_operator("[")) {
      value = parse_item(std::move(value));
    } else if (reader_.is_operator("(")) {
      value = parse_call(std::move(value));
    } else {
      return value;
    }
  }
}

ExpressionPtr ExpressionParser::parse_item(ExpressionPtr value) {
  auto made = make(Kind::Item);
  reader_.take();
  made->parts.push_back(std::move(value));
  std::array<ExpressionPtr, 3> bounds;
  std::size_t n_colons = 0;
  while (!reader_.is_operator("]")) {
    if (reader_.is_operator(":") && n_colons < 2) {
      reader_.take();
      ++n_colons;
    } else if (!bounds[n_colons]) {
      bounds[n_colons] = parse();
    } else {
      break;
    }
  }
  if (n_colons == 0 && !bounds[0]) reader_.refuse("an index");
  reader_.expect_operator("]");
  made->parts.push_back(std::move(bounds[0]));
  if (n_colons > 0) {
    made->kind = Kind::Slice;
    made->parts.push_back(std::move(bounds[1]));
    made->parts.push_back(std::move(bounds[2]));
  }
  return finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_call(ExpressionPtr value) {
  auto made = make(Kind::Call);
  made->parts.push_back(std::move(value));
  parse_arguments(*made);
  return finish(std::move(made));
}

void ExpressionParser::parse_arguments(Expression& call) {
  reader_.expect_operator("(");
  while (!reader_.is_operator(")")) {
    if (reader_.is_operator("*") || reader_.is_operator("**")) {
      reader_.refuse("an argument (those of a list, '*' and '**', are not supported)");
    }
    const bool is_named = reader_.is(Token::Kind::Name) &&
                          reader_.ahead().kind == Token::Kind::Operator &&
                          reader_.ahead().text == "=";
    if (is_named) {
      std::string name = reader_.take().text;
      reader_.take();
      call.named.emplace_back(std::move(name), parse());
    } else {
      if (!call.named.empty()) reader_.refuse("an argument with a name behind one with a name");
      call.parts.push_back(parse());
    }
    if (!reader_.skip_operator(",")) break;
  }
  reader_.expect_operator(")");
}

ExpressionPtr ExpressionParser::parse_filters_and_tests(ExpressionPtr value) {
  for (;;) {
    if (reader_.skip_operator("|")) {
      value = parse_filter(std::move(value));
    } else if (reader_.skip_name("is")) {
      value = parse_test(std::move(value));
    } else if (reader_.is_operator("(")) {
      value = parse_call(std::move(value));
    } else {
      return value;
    }
  }
}

ExpressionPtr ExpressionParser::parse_filter(ExpressionPtr value) {
  auto made = make(Kind::Filter);
  made->word = reader_.expect_any_name("a filter");
  made->parts.push_back(std::move(value));
  if (reader_.is_operator("(")) parse_arguments(*made);
  return finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_filters() {
  ExpressionPtr value;
  do {
    value = parse_filter(std::move(value));
  } while (reader_.skip_operator("|"));
  return value;
}

ExpressionPtr ExpressionParser::parse_test(ExpressionPtr value) {
  const bool is_negated = reader_.skip_name("not");
  auto made = make(Kind::Test);
  made->word = reader_.expect_any_name("a test");
  made->parts.push_back(std::move(value));
  const Token::Kind next = reader_.now().kind;
  const bool ends = reader_.is_name("else") || reader_.is_name("or") || reader_.is_name("and") ||
                    reader_.is_name("if") || reader_.is_name("in") || reader_.is_name("not");
  if (reader_.is_operator("(")) {
    parse_arguments(*made);
  } else if (reader_.is_name("is")) {
    reader_.refuse("one test of a value (several with 'and' between them)");
  } else if (((next == Token::Kind::Name && !ends) || next == Token::Kind::String ||
              next == Token::Kind::Integer || next == Token::Kind::Number ||
              reader_.is_operator("[") || reader_.is_operator("{"))) {
    made->parts.push_back(parse_postfix(parse_primary()));
  }
  ExpressionPtr test = finish(std::move(made));
  if (!is_negated) return test;
  auto negated = make(Kind::Not);
  negated->parts.push_back(std::move(test));
  return finish(std::move(negated));
}

}  // namespace labelprobe::prompt::jinja
