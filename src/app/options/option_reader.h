// Where options come from: the flags of a subcommand, then config files (earlier files win).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/options/options.h"

namespace labelprobe::app {

class OptionReader {
 public:
  // Declares the options of `groups` on a subcommand, with --config. Must live until the command
  // has run. Each time the subcommand is parsed its flags are kept: a grid with groups is parsed
  // once a group.
  void declare(CLI::App& app, std::span<const std::string_view> groups);

  // Reads the config files; one element for a single setting, more for a grid (see grid.h). Throws
  // ConfigError: file:line, expected, found, nearest key.
  std::vector<Options> read() const;

 private:
  struct CommandLine {
    GivenValues flags;
    std::vector<std::string> config_paths;
  };

  void keep_command_line();
  void add_config(const std::filesystem::path& path, GivenValues& given) const;

  std::vector<const OptionInfo*> declared_;
  std::map<std::string, CLI::Option*, std::less<>> flags_;
  std::map<std::string, std::vector<std::string>, std::less<>> flag_values_;
  std::map<std::string, bool, std::less<>> flags_seen_;
  CLI::Option* config_ = nullptr;
  std::vector<std::string> config_paths_;
  std::vector<CommandLine> command_lines_;
};

}  // namespace labelprobe::app
