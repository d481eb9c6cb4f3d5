// The options of a run, each declared once: flags, config keys, --help, defaults and the logged
// parameters all come from this one table. Sources: the published programs' flags; names with
// underscores in files, with dashes as flags.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/record/run.h"

namespace labelprobe::app {

enum class OptionType {
  Text,
  TextOrFile,  // a literal text, or the name of a file whose whole content is the text
  Integer,
  Real,
  Flag,      // present or absent
  Boolean,   // --name true|false
  TextList,  // one or more
  GridList,  // a list whose elements '|' separates: several values are several lists
  Range,     // one or two integers: first k positions, or from a up to before b
};

struct OptionInfo {
  std::string_view name;  // with underscores
  OptionType type;
  std::string_view group;
  std::string_view help;
  std::string_view fallback = "";    // the default as text; empty = unset
  bool is_comparable = true;         // see record::Param
  int name_priority = -1;            // see record::Param; -1 = not part of folder names
  std::string_view other_name = "";  // taken as well
};

// What a run is made from. A command leaves out the groups it has no use for.
inline constexpr std::string_view kDataGroup = "Data";
inline constexpr std::string_view kPromptGroup = "Prompts";
inline constexpr std::string_view kDistributionGroup = "Distribution";
inline constexpr std::string_view kPairGroup = "Pairs";
inline constexpr std::string_view kModelGroup = "Model";
inline constexpr std::string_view kLoadingGroup = "Loading the model";
inline constexpr std::string_view kRunGroup = "Run";
inline constexpr std::string_view kLogGroup = "Logs";

std::span<const OptionInfo> run_options();

// Whether several values of an option make a grid (see grid.h): it has one value at a time and
// decides what is computed.
bool spans_grid(const OptionInfo& option);

// What was given for one option, and where: "file:line" of a config file, else the flag's spelling.
struct Given {
  std::vector<std::string> values;  // none = explicitly unset
  std::string place;
};
using GivenValues = std::map<std::string, Given, std::less<>>;  // by option name

// The values of the options of one setting; where none is given, the defaults.
class Options {
 public:
  // Throws ConfigError (place, expected, found) for a value of the wrong type.
  Options(std::vector<const OptionInfo*> declared, GivenValues given);

  bool has(std::string_view name) const;          // whether the command knows the option
  bool is_set(std::string_view name) const;       // given by the user, and not as unset
  std::string text(std::string_view name) const;  // empty if unset
  std::optional<std::string> optional_text(std::string_view name) const;
  std::optional<std::int64_t> optional_integer(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;  // ConfigError "--name is required" if unset
  double real(std::string_view name) const;           // likewise
  bool boolean(std::string_view name) const;          // Flag and Boolean
  std::vector<std::string> texts(std::string_view name) const;
  std::string_view help(std::string_view name) const;
  // Where a message about the option points.
  std::string place(std::string_view name) const;

  // All of them in the order of the table, defaults filled in, as they are logged.
  std::vector<record::Param> params() const;

 private:
  const OptionInfo& info(std::string_view name) const;

  std::vector<const OptionInfo*> declared_;
  GivenValues given_;
};

// A logged parameter on one line; "-" if unset.
std::string describe(const record::ParamValue& value);

// "--root-dir" for "root_dir".
std::string flag_of(std::string_view name);

}  // namespace labelprobe::app
