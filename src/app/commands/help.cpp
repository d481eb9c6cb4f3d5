#include "app/commands/help.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace labelprobe::app {

namespace {

constexpr std::size_t kUsualWidth = 80;
constexpr std::size_t kLeastWidth = 50;
constexpr std::size_t kMostWidth = 120;  // longer lines are hard to read
constexpr std::size_t kColumn = 30;      // where what an option means begins

// Columns of the terminal that standard output goes to; the usual number elsewhere.
std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return kUsualWidth;
  }
  return std::clamp<std::size_t>(size.ws_col, kLeastWidth, kMostWidth);
}

// The text in lines that end before `width`, each behind `indent` spaces; the first stands where
// `at` columns are taken already.
std::string wrapped(const std::string& text,
                    std::size_t indent,
                    std::size_t at,
                    std::size_t width) {
  std::string lines;
  std::size_t column = at;
  const auto feed = [&] {
    lines += '\n' + std::string(indent, ' ');
    column = indent;
  };
  if (at + 2 > indent) {
    feed();
  } else {
    lines += std::string(indent - at, ' ');
    column = indent;
  }
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::size_t n_bytes = end - start;
    if (column > indent && column + 1 + n_bytes > width) {
      feed();
    }
    lines += (column > indent ? " " : "") + text.substr(start, n_bytes);
    column += n_bytes + (column > indent ? 1 : 0);
    start = end + 1;
  }
  return lines + '\n';
}

constexpr std::pair<CommandGroup, std::string_view> kGroups[] = {
    {CommandGroup::Look, "Look at data and logs"},
    {CommandGroup::Ask, "Ask a model"},
    {CommandGroup::Analyse, "Analyse"},
    {CommandGroup::Tools, "Tools"}};

// Variables of the environment that any command reads, sorted.
std::set<std::string> variables() {
  std::set<std::string> names;
  for (const Command& command : commands()) {
    for (const Option& option : command.declare().options.options()) {
      if (const std::string name = option.variable(); !name.empty()) names.insert(name);
    }
  }
  names.insert("NO_COLOR");
  return names;
}

std::string describe_values(const Option& option, Grids grids) {
  std::string value(option.info.value);
  if (value.empty()) {
    value = usual_value(option.kind);
  }
  if (value.empty()) {
    return "";
  }
  const bool is_many = option.kind == OptionKind::TextList && !option.info.is_one_by_one;
  const bool is_grid = option.spans_grid() && grids == Grids::Taken;
  return " " + value + (is_many ? "..." : "") + (is_grid ? "*" : "");
}

std::string describe_option(const Option& option,
                            Grids grids,
                            std::size_t width,
                            bool names_variable) {
  std::string line = "  ";
  if (option.is_operand) {
    line += option.info.name;
    line += option.kind == OptionKind::TextList ? "..." : "";
  } else {
    if (option.letter() != 0) line += fmt::format("-{}, ", option.letter());
    line += option.flag() + describe_values(option, grids);
  }
  std::string help = option.info.help;
  if (!option.info.fallback.empty() && option.kind != OptionKind::Boolean) {
    help += fmt::format(" [{}]", option.info.fallback);
  }
  if (option.info.is_required && !option.is_operand) {
    help += option.info.usual.empty() ? " (required)"
                                      : fmt::format(" (required; usually {})", option.info.usual);
  }
  if (const std::string variable = option.variable(); names_variable && !variable.empty()) {
    help += fmt::format(" (environment: {})", variable);
  }
  return line + wrapped(help, kColumn, line.size(), width);
}

std::string describe_operands(const Command& command,
                              const OptionList& options,
                              std::size_t width) {
  std::string text;
  for (const Option& option : options.options()) {
    text += option.is_operand ? describe_option(option, command.grids, width, true) : "";
  }
  return text.empty() ? "" : "\n" + text;
}

// What most people need, what is required first; what every command has comes last.
std::string describe_first(const Command& command, const OptionList& options, std::size_t width) {
  std::string required;
  std::string own;
  std::string built_in;
  for (const Option& option : options.options()) {
    if (!option.is_operand && option.info.shown == Shown::First) {
      (option.is_built_in        ? built_in
       : option.info.is_required ? required
                                 : own) += describe_option(option, command.grids, width, false);
    }
  }
  return "\n" + required + own + built_in;
}

// All options by group, in the order of the declaration; what every command has comes last.
std::string describe_groups(const Command& command, const OptionList& options, std::size_t width) {
  std::string text;
  std::string built_in = "\nEvery command\n";
  std::string_view title;
  for (const Option& option : options.options()) {
    if (option.is_operand || option.info.shown == Shown::Never) {
      continue;
    }
    if (!option.is_built_in && option.group != title) {
      title = option.group;
      text += fmt::format("\n{}\n", title);
    }
    (option.is_built_in ? built_in : text) += describe_option(option, command.grids, width, true);
  }
  return text + built_in;
}

// How many options each group has that --help leaves out.
std::string describe_rest(const Command& command, const OptionList& options, std::size_t width) {
  std::vector<std::pair<std::string_view, int>> rest;
  for (const Option& option : options.options()) {
    if (option.info.shown != Shown::Later) {
      continue;
    }
    if (rest.empty() || rest.back().first != option.group) {
      rest.emplace_back(option.group, 0);
    }
    ++rest.back().second;
  }
  if (rest.empty()) {
    return "";
  }
  std::vector<std::string> parts;
  for (const auto& [title, n] : rest) {
    parts.push_back(fmt::format("{} ({})", title, n));
  }
  return "\n" + wrapped(fmt::format("More options, with labelprobe {} --help-all: {}",
                                    command.text.name, fmt::join(parts, ", ")),
                        0, 0, width)
                    .substr(1);
}

std::string describe_grids(std::size_t width) {
  return "\n" +
         wrapped(
             "Several values of an option marked * make a grid: every combination runs. { FLAGS "
             "} { FLAGS } runs each group with the flags outside of it; _None_ unsets; args.NAME "
             "is the value of another option.",
             0, 0, width)
             .substr(1);
}

}  // namespace

std::string usage(const Command& command, const OptionList& options) {
  std::string line(command.text.name);
  for (const Option& option : options.options()) {
    if (option.is_operand) {
      const std::string name =
          std::string(option.info.name) + (option.kind == OptionKind::TextList ? "..." : "");
      line += option.info.is_required ? " " + name : " [" + name + "]";
    }
  }
  return line + " [OPTIONS]";
}

std::string describe_program() {
  const std::size_t width = terminal_width();
  std::string text =
      wrapped(
          "labelprobe measures how language models assign probabilities to labels in "
          "multi-label classification.",
          0, 0, width)
          .substr(1) +
      "\nUsage: labelprobe COMMAND [OPTIONS]\n\n";
  for (const auto& [group, title] : kGroups) {
    text += fmt::format("{}\n", title);
    for (const Command& command : commands()) {
      if (command.text.group != group) continue;
      const std::string line = fmt::format("  {}", command.text.name);
      text += line + wrapped(std::string(command.text.summary), 17, line.size(), width);
    }
    text += '\n';
  }
  const auto paragraph = [&](const std::string& sentences) {
    text += wrapped(sentences, 0, 0, width).substr(1);
  };
  text +=
      "A first run, on invented comments:\n"
      "  labelprobe run GoEmotions --config configs/example/config.yaml -m MODEL\n\n";
  paragraph(
      "labelprobe COMMAND --help says more of a command, labelprobe --version which program this "
      "is.");
  paragraph(
      "Exit codes: 0 done; 1 done, but some items failed or cells are missing; 2 an option; 3 a "
      "data file or log; 4 a model or device; 70 a bug; 75 another process is at the same run.");
  paragraph(fmt::format("Environment, where neither flag nor config file says otherwise: {}.",
                        fmt::join(variables(), ", ")));
  return text;
}

std::string describe_command(const Command& command, bool shows_all) {
  const std::size_t width = terminal_width();
  const Command::Declared declared = command.declare();
  const OptionList& options = declared.options;
  std::string text = wrapped(std::string(command.text.summary), 0, 0, width).substr(1);
  text += fmt::format("\nUsage: labelprobe {}\n", usage(command, options));
  text += fmt::format("\nExample:\n  {}\n", command.text.example);
  text += describe_operands(command, options, width);
  text += shows_all
              ? describe_groups(command, options, width)
              : describe_first(command, options, width) + describe_rest(command, options, width);
  if (command.grids == Grids::Taken) {
    text += describe_grids(width);
  }
  return text;
}

}  // namespace labelprobe::app
