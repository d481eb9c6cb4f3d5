// The parts of a template's text: what is written as it is, and the words of its statements and
// expressions. White space around statements is cut as transformers does it, whose settings are
// trim_blocks and lstrip_blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace labelprobe::prompt::jinja {

struct Token {
  enum class Kind {
    Data,            // text between statements
    StatementBegin,  // {%
    StatementEnd,
    PrintBegin,  // {{
    PrintEnd,
    Name,
    String,  // `text` is what it stands for
    Integer,
    Number,
    Operator,
    End,  // of the template
  };
  Kind kind = Kind::End;
  std::string text;
  int line = 1;
};

// The last token is End. Throws TemplateError, beginning with "<line>: ", for what is no template.
std::vector<Token> split(std::string_view text);

// "<line>: <finding>", as every error of a template's syntax.
[[noreturn]] void refuse_at(int line, const std::string& finding);

}  // namespace labelprobe::prompt::jinja
