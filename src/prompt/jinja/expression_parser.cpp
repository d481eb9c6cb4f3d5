#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "labelprobe/core/limits.h"

#include "prompt/jinja/budget.h"
#include "prompt/jinja/parser.h"

namespace labelprobe::prompt::jinja {

using Kind = Expression::Kind;

namespace {

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::Data:
    case Token::Kind::End:
      return "the end of the template";
    case Token::Kind::StatementEnd:
      return "the end of the statement";
    case Token::Kind::PrintEnd:
      return "the end of the expression";
    case Token::Kind::StatementBegin:
      return "a statement";
    case Token::Kind::PrintBegin:
      return "an expression";
    default:
      return fmt::format("'{}'", token.text);
  }
}

}  // namespace

// Counts how deep the parser stands in itself.
class Deeper {
 public:
  explicit Deeper(ExpressionParser& parser) : depth_(parser.depth_) {
    if (++depth_ > limits::kTemplateSyntaxDepth) {
      refuse_at(parser.reader_.now().line,
                fmt::format("expected expressions at most {} deep in each other, found more",
                            limits::kTemplateSyntaxDepth));
    }
  }
  ~Deeper() { --depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  int& depth_;
};

bool TokenReader::is_operator(std::string_view text) const {
  return is(Token::Kind::Operator) && now().text == text;
}

bool TokenReader::is_name(std::string_view text) const {
  return is(Token::Kind::Name) && now().text == text;
}

bool TokenReader::skip_operator(std::string_view text) {
  const bool is_there = is_operator(text);
  if (is_there) take();
  return is_there;
}

bool TokenReader::skip_name(std::string_view text) {
  const bool is_there = is_name(text);
  if (is_there) take();
  return is_there;
}

void TokenReader::expect_operator(std::string_view text) {
  if (!skip_operator(text)) refuse(fmt::format("'{}'", text));
}

void TokenReader::expect_name(std::string_view text) {
  if (!skip_name(text)) refuse(fmt::format("'{}'", text));
}

void TokenReader::expect(Token::Kind kind, std::string_view what) {
  if (!is(kind)) refuse(what);
  take();
}

std::string TokenReader::expect_any_name(std::string_view what) {
  if (!is(Token::Kind::Name)) refuse(what);
  return take().text;
}

void TokenReader::refuse(std::string_view expected) const {
  refuse_at(now().line, fmt::format("expected {}, found {}", expected, describe(now())));
}

ExpressionParser::Made ExpressionParser::make(Kind kind, std::string word) const {
  auto made = std::make_unique<Expression>();
  made->kind = kind;
  made->line = reader_.now().line;
  made->word = std::move(word);
  return made;
}

ExpressionPtr ExpressionParser::finish(Made made) const {
  int deepest = 0;
  for (const ExpressionPtr& part : made->parts) {
    if (part) deepest = std::max(deepest, part->depth);
  }
  for (const auto& [name, part] : made->named) deepest = std::max(deepest, part->depth);
  made->depth = deepest + 1;
  if (made->depth > limits::kTemplateSyntaxDepth) {
    refuse_at(made->line,
              fmt::format("expected expressions at most {} deep in each other, found more",
                          limits::kTemplateSyntaxDepth));
  }
  return made;
}

ExpressionPtr ExpressionParser::join(Kind kind,
                                     ExpressionPtr left,
                                     ExpressionPtr right,
                                     std::string word) const {
  auto made = make(kind, std::move(word));
  made->line = left->line;
  made->parts.push_back(std::move(left));
  made->parts.push_back(std::move(right));
  return finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse() {
  const Deeper deeper(*this);
  ExpressionPtr value = parse_without_if();
  while (reader_.is_name("if")) {
    auto made = make(Kind::Conditional);
    reader_.take();
    made->parts.push_back(std::move(value));
    made->parts.push_back(parse_without_if());
    made->parts.push_back(reader_.skip_name("else") ? parse() : nullptr);
    value = finish(std::move(made));
  }
  return value;
}

ExpressionPtr ExpressionParser::parse_without_if() {
  ExpressionPtr value = parse_and();
  while (reader_.skip_name("or")) value = join(Kind::Or, std::move(value), parse_and());
  return value;
}

ExpressionPtr ExpressionParser::parse_and() {
  ExpressionPtr value = parse_not();
  while (reader_.skip_name("and")) value = join(Kind::And, std::move(value), parse_not());
  return value;
}

ExpressionPtr ExpressionParser::parse_not() {
  if (!reader_.is_name("not")) return parse_comparison();
  const Deeper deeper(*this);
  auto made = make(Kind::Not);
  reader_.take();
  made->parts.push_back(parse_not());
  return finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_comparison() {
  auto made = make(Kind::Compare);
  made->parts.push_back(parse_sum());
  for (;;) {
    const bool is_not_in = reader_.is_name("not") && reader_.ahead().kind == Token::Kind::Name &&
                           reader_.ahead().text == "in";
    const bool is_sign = reader_.is_operator("==") || reader_.is_operator("!=") ||
                         reader_.is_operator("<") || reader_.is_operator("<=") ||
                         reader_.is_operator(">") || reader_.is_operator(">=");
    if (!is_not_in && !is_sign && !reader_.is_name("in")) break;
    std::string word = reader_.take().text;
    if (is_not_in) {
      reader_.take();
      word = "not in";
    }
    made->words.push_back(std::move(word));
    made->parts.push_back(parse_sum());
  }
  return made->words.empty() ? std::move(made->parts.front()) : finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_sum() {
  ExpressionPtr value = parse_concat();
  while (reader_.is_operator("+") || reader_.is_operator("-")) {
    const std::string word = reader_.take().text;
    value = join(Kind::Arithmetic, std::move(value), parse_concat(), word);
  }
  return value;
}

ExpressionPtr ExpressionParser::parse_concat() {
  auto made = make(Kind::Concat);
  made->parts.push_back(parse_product());
  while (reader_.skip_operator("~")) made->parts.push_back(parse_product());
  return made->parts.size() == 1 ? std::move(made->parts.front()) : finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_product() {
  ExpressionPtr value = parse_power();
  while (reader_.is_operator("*") || reader_.is_operator("/") || reader_.is_operator("//") ||
         reader_.is_operator("%")) {
    const std::string word = reader_.take().text;
    value = join(Kind::Arithmetic, std::move(value), parse_power(), word);
  }
  return value;
}

ExpressionPtr ExpressionParser::parse_power() {
  ExpressionPtr value = parse_unary(/*with_filters=*/true);
  while (reader_.skip_operator("**")) {
    value = join(Kind::Arithmetic, std::move(value), parse_unary(/*with_filters=*/true), "**");
  }
  return value;
}

ExpressionPtr ExpressionParser::parse_unary(bool with_filters) {
  const Deeper deeper(*this);
  ExpressionPtr value;
  if (reader_.is_operator("-") || reader_.is_operator("+")) {
    auto made = make(reader_.take().text == "-" ? Kind::Negative : Kind::Positive);
    made->parts.push_back(parse_unary(/*with_filters=*/false));
    value = finish(std::move(made));
  } else {
    value = parse_primary();
  }
  value = parse_postfix(std::move(value));
  return with_filters ? parse_filters_and_tests(std::move(value)) : std::move(value);
}

ExpressionPtr ExpressionParser::parse_primary() {
  switch (reader_.now().kind) {
    case Token::Kind::Name:
      return parse_name();
    case Token::Kind::String:
    case Token::Kind::Integer:
    case Token::Kind::Number:
      return parse_literal();
    case Token::Kind::Operator:
      if (reader_.is_operator("(") || reader_.is_operator("[")) return parse_brackets();
      if (reader_.is_operator("{")) return parse_dict();
      break;
    default:
      break;
  }
  reader_.refuse("an expression");
}

ExpressionPtr ExpressionParser::parse_name() {
  auto made = make(Kind::Literal);
  const std::string name = reader_.take().text;
  if (name == "true" || name == "True" || name == "false" || name == "False") {
    made->literal = Value(name == "true" || name == "True");
  } else if (name != "none" && name != "None") {
    made->kind = Kind::Name;
    made->word = name;
  }
  return finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_literal() {
  auto made = make(Kind::Literal);
  if (reader_.is(Token::Kind::String)) {
    std::string text;
    while (reader_.is(Token::Kind::String)) text += reader_.take().text;
    made->literal = Value::text(std::move(text));
  } else if (reader_.is(Token::Kind::Number)) {
    made->literal = Value(std::strtod(reader_.take().text.c_str(), nullptr));
  } else {
    std::int64_t number = 0;
    const std::string& digits = reader_.now().text;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc()) {
      reader_.refuse("an integer of 64 bits");
    }
    reader_.take();
    made->literal = Value(number);
  }
  return finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_brackets() {
  const bool is_list = reader_.is_operator("[");
  const std::string_view close = is_list ? "]" : ")";
  auto made = make(is_list ? Kind::List : Kind::Tuple);
  reader_.take();
  bool has_comma = false;
  while (!reader_.is_operator(close)) {
    made->parts.push_back(parse());
    if (!reader_.skip_operator(",")) break;
    has_comma = true;
  }
  reader_.expect_operator(close);
  const bool is_one = !is_list && made->parts.size() == 1 && !has_comma;
  return is_one ? std::move(made->parts.front()) : finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_dict() {
  auto made = make(Kind::Dict);
  reader_.take();
  while (!reader_.is_operator("}")) {
    made->parts.push_back(parse());
    reader_.expect_operator(":");
    made->parts.push_back(parse());
    if (!reader_.skip_operator(",")) break;
  }
  reader_.expect_operator("}");
  return finish(std::move(made));
}

ExpressionPtr ExpressionParser::parse_tuple() {
  auto made = make(Kind::Tuple);
  bool has_comma = false;
  for (;;) {
    made->parts.push_back(parse());
    if (!reader_.skip_operator(",")) break;
    has_comma = true;
    if (reader_.is(Token::Kind::PrintEnd) || reader_.is(Token::Kind::StatementEnd)) break;
  }
  return has_comma ? finish(std::move(made)) : std::move(made->parts.front());
}

}  // namespace labelprobe::prompt::jinja
