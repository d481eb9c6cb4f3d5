#include "arguments.h"

#include <algorithm>
#include <cctype>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

std::string choose_flag(const std::string& given,
                        const std::vector<std::string>& known,
                        const std::string& command) {
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
  std::string message = "unknown flag '--" + given + "'";
  if (const std::string near = nearest_choice(given, known); !near.empty()) {
    message += "; did you mean '--" + near + "'?";
  }
  throw ConfigError(message + " (labelprobe " + command + " --help lists all)");
}

bool is_negative_number(const std::string& text) {
  return text.size() > 1 && text[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(text[1])) != 0;
}

}  // namespace

std::vector<std::string> spell_out(const CLI::App& program, std::vector<std::string> args) {
  if (args.empty() || args[0].starts_with('-')) {
    return args;
  }
  const auto subcommands =
      program.get_subcommands([&](const CLI::App* app) { return app->get_name() == args[0]; });
  if (subcommands.empty()) {
    std::vector<std::string> known;
    for (const CLI::App* app : program.get_subcommands({})) {
      known.push_back(app->get_name());
    }
    throw ConfigError(unknown_choice("command", args[0], known));
  }
  std::vector<std::string> known;
  for (const CLI::Option* option : subcommands.front()->get_options()) {
    for (const std::string& name : option->get_lnames()) {
      known.push_back(name);
    }
  }
  std::vector<std::string> spelled = {args[0]};
  for (std::size_t i = 1; i < args.size(); ++i) {
    std::string arg = args[i];
    if (arg.starts_with("--") && arg.size() > 2) {
      const std::size_t equals = std::min(arg.find('='), arg.size());
      std::string name = arg.substr(2, equals - 2);
      std::replace(name.begin(), name.end(), '_', '-');
      arg = "--" + choose_flag(name, known, args[0]) + arg.substr(equals);
      if (equals == args[i].size() && i + 1 < args.size() && is_negative_number(args[i + 1])) {
        arg += "=" + args[++i];
      }
    }
    spelled.push_back(std::move(arg));
  }
  return spelled;
}

}  // namespace labelprobe::app
