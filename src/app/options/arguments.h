// What users may write on the command line beyond what CLI11 takes: unique prefixes of flags
// (`--system`), underscores (`--root_dir`), values that begin with a dash (`--seed -1`), and flags
// given again, of which the last counts.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace labelprobe::app {

// The arguments with every flag spelled out as the subcommand declares it. `args` starts with the
// subcommand's name. Throws ConfigError for an unknown flag, naming the nearest or the commands
// that have it, and for a prefix of several.
std::vector<std::string> spell_out(const CLI::App& program, const std::vector<std::string>& args);

}  // namespace labelprobe::app
