// labelprobe completion: what a shell needs to complete command lines, made from the declarations
// of all commands.
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

// How a word is completed: one of some words, a path, or not at all.
struct Words {
  bool are_paths = false;
  std::vector<std::string> choices;
};

Words words_of(const Option& option) {
  if (option.kind == OptionKind::Boolean) {
    return {false, {"true", "false"}};
  }
  const std::string_view value = option.info.value;
  const bool is_path = value.starts_with("FILE") || value == "FOLDER" || value == "MODEL" ||
                       option.kind == OptionKind::TextOrFile;
  return {is_path, option.info.choices};
}

// "'text'" for a shell, whatever the text holds.
std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string joined_names(std::string_view separator) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) {
    names.push_back(command.text.name);
  }
  return fmt::format("{}", fmt::join(names, separator));
}

// --- bash ---

constexpr std::string_view kBashFunction = R"bash(
_labelprobe() {
  local cur="${COMP_WORDS[COMP_CWORD]}" command="${COMP_WORDS[1]}" place i words
  [ "$cur" = "=" ] && cur=
  if [ "$COMP_CWORD" -le 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$_labelprobe_commands --help --version" -- "$cur")
    return
  fi
  # The flag that the word belongs to, or its number among words that follow none.
  place="#$((COMP_CWORD - 1))"
  for ((i = COMP_CWORD - 1; i > 1; --i)); do
    case "${COMP_WORDS[i]}" in --?*) place="${COMP_WORDS[i]}"; break ;; esac
  done
  words=$(_labelprobe_words "$command" "$place")
  case "$cur" in -*) words= ;; esac
  if [ "$words" = PATHS ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
  else
    mapfile -t COMPREPLY < <(compgen -W "${words:-$(_labelprobe_flags "$command")}" -- "$cur")
  fi
}
complete -F _labelprobe labelprobe
)bash";

// The cases of a `case` statement that answer a question about one command's words.
class BashCases {
 public:
  void add(const Command& command, std::string_view place, const Words& words) {
    if (!words.are_paths && words.choices.empty()) {
      return;
    }
    const std::string answer =
        words.choices.empty() ? "PATHS" : fmt::format("{}", fmt::join(words.choices, " "));
    patterns_[answer].push_back(fmt::format("'{} '{}", command.text.name, place));
  }

  std::string text() const {
    std::string lines;
    for (const auto& [answer, patterns] : patterns_) {
      lines +=
          fmt::format("    {}) echo {} ;;\n", fmt::join(patterns, " | "), shell_quoted(answer));
    }
    return lines;
  }

 private:
  std::map<std::string, std::vector<std::string>> patterns_;  // by what is answered
};

std::string bash_script() {
  std::string flag_cases;
  BashCases words;
  for (const Command& command : commands()) {
    const Command::Declared declared = command.declare();
    std::vector<std::string> flags;
    int n_operands = 0;
    for (const Option& option : declared.options.options()) {
      if (option.info.shown == Shown::Never) {
        continue;
      }
      if (option.is_operand) {
        ++n_operands;
        words.add(command,
                  option.kind == OptionKind::TextList ? fmt::format("'#'[{}-9]", n_operands)
                                                      : fmt::format("'#{}'", n_operands),
                  words_of(option));
      } else {
        flags.push_back(option.flag());
        words.add(command, shell_quoted(option.flag()), words_of(option));
      }
    }
    flag_cases += fmt::format("    {}) echo {} ;;\n", command.text.name,
                              shell_quoted(fmt::format("{}", fmt::join(flags, " "))));
  }
  return fmt::format(
             "# bash completion for labelprobe, made by: labelprobe completion bash\n"
             "_labelprobe_commands={}\n\n"
             "# _labelprobe_flags COMMAND\n"
             "_labelprobe_flags() {{\n  case \"$1\" in\n{}  esac\n}}\n\n"
             "# _labelprobe_words COMMAND PLACE: what may stand there, behind a flag or as word "
             "#1, "
             "#2, ...\n"
             "_labelprobe_words() {{\n  case \"$1 $2\" in\n{}  esac\n}}\n",
             shell_quoted(joined_names(" ")), flag_cases, words.text()) +
         std::string(kBashFunction);
}

// --- zsh ---

constexpr std::string_view kZshHead = R"(#compdef labelprobe
# zsh completion for labelprobe, made by: labelprobe completion zsh

_labelprobe() {
  local -a commands
  commands=(
)";

constexpr std::string_view kZshMiddle = R"(  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
)";

constexpr std::string_view kZshTail = R"(  esac
}

_labelprobe "$@"
)";

// Text inside a specification, where colons and brackets mean something.
std::string zsh_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') {
      escaped += '\\';
    }
    escaped += c;
  }
  return escaped;
}

// ":VALUE:how to complete it"
std::string zsh_value(const Option& option) {
  if (option.kind == OptionKind::Flag) {
    return "";
  }
  const Words words = words_of(option);
  std::string action = " ";
  if (!words.choices.empty()) {
    action = zsh_escaped(fmt::format("({})", fmt::join(words.choices, " ")));
  } else if (words.are_paths) {
    action = "_files";
  }
  const std::string_view name =
      option.info.value.empty() ? usual_value(option.kind) : option.info.value;
  return fmt::format(":{}:{}", zsh_escaped(option.is_operand ? option.info.name : name), action);
}

std::string zsh_specification(const Option& option, int n_operands) {
  if (option.is_operand) {
    return (option.kind == OptionKind::TextList ? "*" : std::to_string(n_operands)) +
           zsh_value(option);
  }
  return fmt::format("{}[{}]{}", option.flag(), zsh_escaped(option.info.help), zsh_value(option));
}

std::string zsh_script() {
  std::string text(kZshHead);
  for (const Command& command : commands()) {
    text += fmt::format("    {}\n", shell_quoted(fmt::format("{}:{}", command.text.name,
                                                             zsh_escaped(command.text.summary))));
  }
  text += kZshMiddle;
  for (const Command& command : commands()) {
    const Command::Declared declared = command.declare();
    text += fmt::format("    {})\n      _arguments", command.text.name);
    int n_operands = 0;
    for (const Option& option : declared.options.options()) {
      if (option.info.shown != Shown::Never) {
        n_operands += option.is_operand ? 1 : 0;
        text += fmt::format(" \\\n        {}", shell_quoted(zsh_specification(option, n_operands)));
      }
    }
    text += "\n      ;;\n";
  }
  return text + std::string(kZshTail);
}

struct CompletionFlags {
  std::string shell;
};

int write_completion(const CompletionFlags& flags) {
  if (flags.shell == "bash") {
    std::cout << bash_script() << std::flush;
  } else if (flags.shell == "zsh") {
    std::cout << zsh_script() << std::flush;
  } else {
    const std::string known[] = {"bash", "zsh"};
    throw ConfigError(unknown_choice("shell", flags.shell, known));
  }
  return kSuccess;
}

void declare_flags(OptionList& options, CompletionFlags& flags) {
  options.add(flags.shell, {.name = "SHELL",
                            .help = "bash or zsh",
                            .is_required = true,
                            .shown = Shown::First,
                            .choices = {"bash", "zsh"}});
  options.make_operand();
}

}  // namespace

Command completion_command() {
  return make_command<CompletionFlags>(
      {CommandGroup::Tools, "completion",
       "Print what makes a shell complete commands, flags and values",
       "source <(labelprobe completion bash)"},
      declare_flags, write_completion);
}

}  // namespace labelprobe::app
