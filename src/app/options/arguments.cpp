#include "app/options/arguments.h"

#include <algorithm>
#include <cctype>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      flags.push_back(name);
    }
  }
  return flags;
}

// " (a flag of labelprobe assess)", or "" if no command has it.
std::string owners(const CLI::App& program, const std::string& flag) {
  std::string names;
  for (const CLI::App* command : program.get_subcommands({})) {
    const std::vector<std::string> flags = flags_of(*command);
    if (std::find(flags.begin(), flags.end(), flag) != flags.end()) {
      names += (names.empty() ? " (a flag of labelprobe " : ", ") + command->get_name();
    }
  }
  return names.empty() ? "" : names + ")";
}

std::string choose_flag(const CLI::App& program,
                        const CLI::App& command,
                        const std::string& given) {
  const std::vector<std::string> known = flags_of(command);
  if (std::find(known.begin(), known.end(), given) != known.end()) {
    return given;
  }
  std::vector<std::string> starting;
  for (const std::string& name : known) {
    if (name.starts_with(given)) {
      starting.push_back(name);
    }
  }
  if (starting.size() == 1) {
    return starting.front();
  }
  if (starting.size() > 1) {
    std::string message = "--" + given + " is the beginning of several flags:";
    for (const std::string& name : starting) {
      message += " --" + name;
    }
    throw ConfigError(message);
  }
  std::string message = "unknown flag '--" + given + "'" + owners(program, given);
  if (const std::string near = nearest_choice(given, known); !near.empty()) {
    message += "; did you mean '--" + near + "'?";
  }
  throw ConfigError(message + " (labelprobe " + command.get_name() + " --help lists all)");
}

bool is_negative_number(const std::string& text) {
  return text.size() > 1 && text[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(text[1])) != 0;
}

// A flag and what stands behind it up to the next one; the first phrase has no flag.
struct Phrase {
  const CLI::Option* flag;
  std::vector<std::string> args;
};

const CLI::App& find_command(const CLI::App& program, const std::string& name) {
  std::vector<std::string> known;
  for (const CLI::App* command : program.get_subcommands({})) {
    if (command->get_name() == name) {
      return *command;
    }
    known.push_back(command->get_name());
  }
  throw ConfigError(unknown_choice("command", name, known));
}

}  // namespace

std::vector<std::string> spell_out(const CLI::App& program, const std::vector<std::string>& args) {
  if (args.empty() || args[0].starts_with('-')) {
    return args;
  }
  const CLI::App& command = find_command(program, args[0]);
  std::vector<Phrase> phrases = {{nullptr, {args[0]}}};
  for (std::size_t i = 1; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (!arg.starts_with("--") || arg.size() == 2) {
      phrases.back().args.push_back(arg);
      continue;
    }
    const std::size_t equals = std::min(arg.find('='), arg.size());
    std::string name = arg.substr(2, equals - 2);
    std::replace(name.begin(), name.end(), '_', '-');
    name = choose_flag(program, command, name);
    std::string spelled = "--" + name + arg.substr(equals);
    if (equals == arg.size() && i + 1 < args.size() && is_negative_number(args[i + 1])) {
      spelled += "=" + args[++i];
    }
    // CLI11 would add the values of a flag given again to those it has.
    const CLI::Option* flag = command.get_option("--" + name);
    if (flag->get_items_expected_max() > 1) {
      std::erase_if(phrases, [&](const Phrase& phrase) { return phrase.flag == flag; });
    }
    phrases.push_back({flag, {spelled}});
  }
  std::vector<std::string> spelled;
  for (const Phrase& phrase : phrases) {
    spelled.insert(spelled.end(), phrase.args.begin(), phrase.args.end());
  }
  return spelled;
}

}  // namespace labelprobe::app
