// The options of a run, each declared once: flags, config keys, --help, defaults and the logged
// parameters all come from this one table. Sources: the published programs' flags; names with
// underscores in files, with dashes as flags.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "labelprobe/record/run.h"

namespace labelprobe::app {

enum class OptionType {
  Text,
  TextOrFile,  // a literal text, or the name of a file whose whole content is the text
  Integer,
  Flag,      // present or absent
  Boolean,   // --name true|false
  TextList,  // one or more
  Range,     // one or two integers: first k positions, or from a up to before b
};

struct OptionInfo {
  std::string_view name;  // with underscores
  OptionType type;
  std::string_view group;
  std::string_view help;
  std::string_view fallback = "";  // the default as text; empty = unset
  bool is_comparable = true;       // see record::Param
  int name_priority = -1;          // see record::Param; -1 = not part of folder names
};

// What a run is made from. The commands that need no model leave out the groups they have no use
// for.
inline constexpr std::string_view kDataGroup = "Data";
inline constexpr std::string_view kPromptGroup = "Prompts";
inline constexpr std::string_view kModelGroup = "Model";
inline constexpr std::string_view kRunGroup = "Run";
inline constexpr std::string_view kLogGroup = "Logs";

std::span<const OptionInfo> run_options();

// The values of a command's options, from flags, then config files (earlier files win), then
// defaults.
class Options {
 public:
  // Declares the options of `groups` on a subcommand, with --config. Must live until the command
  // has run.
  void declare(CLI::App& app, std::span<const std::string_view> groups);

  // Reads the config files and checks every value's type. Throws ConfigError: file:line, expected,
  // found, nearest key.
  void resolve();

  bool is_set(std::string_view name) const;
  std::string text(std::string_view name) const;  // empty if unset
  std::optional<std::string> optional_text(std::string_view name) const;
  std::optional<std::int64_t> optional_integer(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;  // ConfigError "--name is required" if unset
  bool boolean(std::string_view name) const;          // Flag and Boolean
  std::vector<std::string> texts(std::string_view name) const;
  // Of an option set in a config file its place "file:line", else the flag's spelling: where a
  // message points.
  std::string place(std::string_view name) const;

  // All of them, defaults filled in, as they are logged.
  std::vector<record::Param> params() const;

 private:
  struct Given {
    std::vector<std::string> values;
    std::string place;
  };

  const OptionInfo& info(std::string_view name) const;
  void read_config(const std::filesystem::path& path);
  void check(const OptionInfo& option, const Given& given) const;

  std::vector<const OptionInfo*> declared_;
  std::map<std::string, CLI::Option*, std::less<>> flags_;
  std::map<std::string, std::vector<std::string>, std::less<>> flag_values_;
  std::map<std::string, bool, std::less<>> flags_seen_;
  std::vector<std::string> config_paths_;
  std::map<std::string, Given, std::less<>> given_;
};

// A logged parameter on one line; "-" if unset.
std::string describe(const record::ParamValue& value);

// "--root-dir" for "root_dir".
std::string flag_of(std::string_view name);

}  // namespace labelprobe::app
