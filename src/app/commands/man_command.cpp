// labelprobe man: the manual page, made from the declarations of all commands.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands/command.h"
#include "app/commands/help.h"

namespace labelprobe::app {

namespace {

constexpr std::string_view kHead = R"(.SH NAME
labelprobe \- measures how language models assign probabilities to labels
.SH SYNOPSIS
.B labelprobe
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
Asks a causal language model about every example of a data set, logs the probability of each label at each step of the
answer, and compares the distributions with what annotators chose.
.PP
A flag may be shortened as long as no other begins so.
Options are also taken from files (\-\-config), as names with underscores; flags win.
Several values of an option that makes a grid run every combination.
.SH COMMANDS
)";

constexpr std::string_view kTail = R"(.SH EXIT STATUS
.TP
0
The work was done.
.TP
1
The work was done, but some items failed, or a comparison found a difference.
.TP
2
A flag, a config file or a template is mistaken.
.TP
3
A data file or a log is missing or damaged.
.TP
4
A model, a tokenizer or a device cannot be used.
.TP
70
The program is at fault.
.TP
75
Another process does the same run or writes to its log folder; see \-\-wait.
)";

// Text as roff prints it: nothing in it is a request.
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '\\':
        safe += "\\e";
        break;
      case '-':
        safe += "\\-";
        break;
      case '\'':
        safe += "\\(aq";
        break;
      default:
        safe += c;
    }
  }
  return safe.starts_with('.') ? "\\&" + safe : safe;
}

// An option of some commands, as a group of the page holds it.
struct Entry {
  std::string text;
  std::vector<std::string_view> commands;
};
struct OptionGroup {
  std::string_view title;
  std::vector<Entry> entries;
};

std::string describe(const Option& option) {
  const std::string_view value =
      option.info.value.empty() ? usual_value(option.kind) : option.info.value;
  std::string text = fmt::format(".TP\n\\fB{}\\fR", escaped(option.flag()));
  if (!value.empty()) {
    text += fmt::format(" \\fI{}\\fR", escaped(value));
  }
  text += fmt::format("\n{}\n", escaped(option.info.help));
  if (!option.info.fallback.empty()) {
    text += fmt::format("Default: {}\n", escaped(option.info.fallback));
  }
  return text;
}

void add(std::vector<OptionGroup>& groups, const Option& option, std::string_view command) {
  auto group = std::find_if(groups.begin(), groups.end(),
                            [&](const OptionGroup& one) { return one.title == option.group; });
  if (group == groups.end()) {
    group = groups.insert(groups.end(), {option.group, {}});
  }
  const std::string text = describe(option);
  auto entry = std::find_if(group->entries.begin(), group->entries.end(),
                            [&](const Entry& one) { return one.text == text; });
  if (entry == group->entries.end()) {
    entry = group->entries.insert(group->entries.end(), {text, {}});
  }
  entry->commands.push_back(command);
}

std::string describe_operand(const Option& option) {
  return fmt::format(".TP\n\\fI{}\\fR\n{}\n", escaped(option.info.name), escaped(option.info.help));
}

std::string manual_page() {
  std::string page = ".TH LABELPROBE 1 \"\" \"labelprobe " LABELPROBE_VERSION
                     "\" \"User commands\"\n" +
                     std::string(kHead);
  std::vector<OptionGroup> groups;
  for (const Command& command : commands()) {
    const Command::Declared declared = command.declare();
    page += fmt::format(".SS {}\n{}.\n.PP\nExample:\n.RS\n.nf\n{}\n.fi\n.RE\n",
                        escaped(usage(command, declared.options)), escaped(command.text.summary),
                        escaped(command.text.example));
    for (const Option& option : declared.options.options()) {
      if (option.is_operand) {
        page += describe_operand(option);
      } else if (option.info.shown != Shown::Never && !option.is_built_in) {
        add(groups, option, command.text.name);
      }
    }
  }
  page += ".SH OPTIONS\n";
  for (const OptionGroup& group : groups) {
    page += fmt::format(".SS {}\n", escaped(group.title));
    for (const Entry& entry : group.entries) {
      page += entry.text + escaped(fmt::format("({})", fmt::join(entry.commands, ", "))) + "\n";
    }
  }
  return page + std::string(kTail);
}

struct ManFlags {};

int write_manual_page(const ManFlags&) {
  std::cout << manual_page() << std::flush;
  return kSuccess;
}

}  // namespace

Command man_command() {
  return make_command<ManFlags>(
      {CommandGroup::Tools, "man", "Print the manual page", "labelprobe man | man -l -"},
      [](OptionList&, ManFlags&) {}, write_manual_page);
}

}  // namespace labelprobe::app
