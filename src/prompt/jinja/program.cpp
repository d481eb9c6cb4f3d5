#include "prompt/jinja/program.h"

#include <fmt/format.h>

#include "prompt/jinja/interpreter.h"
#include "prompt/jinja/parser.h"

namespace labelprobe::prompt::jinja {

struct Program::Tree {
  Block block;
};

Program::Program(std::string_view text, std::string place) : place_(std::move(place)) {
  try {
    tree_ = std::make_unique<const Tree>(Tree{parse(text)});
  } catch (const TemplateError& error) {
    throw ModelError(fmt::format("{}:{}", place_, error.what()));
  }
}

Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

Text Program::render(const Names& names) const {
  Interpreter interpreter(tree_->block, names);
  try {
    return interpreter.run();
  } catch (const TemplateError& error) {
    throw ModelError(fmt::format("{}:{}: {}", place_, interpreter.line(), error.what()));
  }
}

}  // namespace labelprobe::prompt::jinja
