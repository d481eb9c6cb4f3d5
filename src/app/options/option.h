// Options, each declared once: where its value goes in the settings of a command, and what people
// and files call it. Command line, config files, grids, help, completion, manual page and the
// logged parameters all read the list that a declaration makes:
//
//   void declare_options(OptionList& options, Ids& ids) {
//     options.begin_group("List");
//     options.add(ids.n, {.name = "n", .help = "How many ids", .fallback = "200", .least = 1});
//   }
//
// Names have underscores in files ("root_dir") and dashes as flags ("--root-dir").
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "labelprobe/record/run.h"

namespace labelprobe::app {

enum class OptionKind {
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

// Where people meet an option.
enum class Shown {
  First,  // under --help: what most people need
  Later,  // under --help-all
  Never,  // accepted so that old command lines and files go on working; `ls options --all`
};

struct OptionInfo {
  std::string_view name = "";  // of operands in capitals: TASK
  std::string help = "";
  // The default as text, assigned where none is given. Empty: the field stays as it was made, and
  // the option is logged as unset.
  std::string_view fallback = "";
  bool is_required = false;
  Shown shown = Shown::Later;
  std::string_view value = "";             // what the help calls the value: FILE, FOLDER, N
  std::vector<std::string> choices = {};   // every value, or the best known ones
  std::optional<std::int64_t> least = {};  // of an integer
  bool is_comparable = true;               // see record::Param
  int name_priority = -1;                  // see record::Param; -1 = not part of folder names
  record::Bearing bearing = record::Bearing::Result;
  bool is_logged = true;       // false: about this process, not about what it computes
  bool is_of_grid = false;     // one value for all settings of a grid
  bool is_one_by_one = false;  // of a list: each flag takes one value, and may be given again
  bool has_commas = false;     // of a list: "a,b" is "a" and "b", each of which counts once
  // A value that stands for several settings of a grid.
  std::optional<std::pair<std::string, std::vector<std::string>>> shorthand = {};
  std::string (*log_as)(const std::string& given) = nullptr;  // unset = as it was given
  std::string_view usual = "";         // a value that people give who have no better one
  bool is_of_environment = false;      // LABELPROBE_<NAME> gives it where no flag and no file does
  std::string_view flag = "";          // where the flag has another name: "seed" for --seed
  std::string_view other_name = "";    // taken as well, as flag and in files
  std::string_view idle_because = "";  // said to people who give it, as nothing reads it
};

// What was given for one option, and where: "file:line" of a config file, else the flag's spelling.
struct Given {
  std::vector<std::string> values;  // none = explicitly unset
  std::string place;
};
using GivenValues = std::map<std::string, Given, std::less<>>;  // by option name

struct Option {
  OptionInfo info;
  OptionKind kind = OptionKind::Text;
  std::string_view group;
  bool is_operand = false;   // given by its position, without a flag: TASK
  bool is_built_in = false;  // of the program, not of the command: --help, --config
  const void* field = nullptr;
  std::vector<std::function<void(const Given&)>> assign = {};

  std::string flag() const;                // "--root-dir"; of an operand its name
  std::vector<std::string> flags() const;  // all that are taken, but for a letter
  char letter() const;                     // 'm' where -m is taken, else 0
  std::string variable() const;            // "LABELPROBE_DEVICE"; empty if there is none
  // Whether several values make a grid (see grid.h): it has one value at a time and decides what is
  // computed.
  bool spans_grid() const;
};

class OptionList {
 public:
  // Options added from now on stand under this title.
  void begin_group(std::string_view title) { group_ = title; }

  // Binds a field that must outlive the list: a text, path, number or flag, one of these that may
  // be unset, or a list of texts.
  template <typename Field>
  void add(Field& field, OptionInfo info);

  // The same for a flag that takes true or false.
  void add_boolean(bool& field, OptionInfo info);

  // A text that `parse` makes the field's value of; its ConfigErrors are told with their place.
  template <typename Field, typename Parse>
  void add_parsed(Field& field, OptionInfo info, Parse parse);

  // What `assign` does with it; `field` is what place() and is_given() know it by.
  void add_special(OptionKind kind,
                   const void* field,
                   OptionInfo info,
                   std::function<void(const Given&)> assign);

  // The option added last goes to this field as well.
  template <typename Field>
  void also(Field& field);
  template <typename Field, typename Parse>
  void also_parsed(Field& field, Parse parse);

  // One that nothing reads; and one that is refused, whose help says why.
  void accept(OptionKind kind, OptionInfo info);
  void refuse(OptionKind kind, OptionInfo info);

  // The option added last is an operand; of the program.
  void make_operand() { options_.back().is_operand = true; }
  void make_built_in() { options_.back().is_built_in = true; }

  // Done by fill() when all fields are filled, in the order of the calls: what depends on several
  // options. May use is_given(), place() and at(), and throw. Where `work` refers to the list, that
  // stays where it is until fill() has ended.
  void afterwards(std::function<void()> work) { afterwards_.push_back(std::move(work)); }

  std::span<const Option> options() const { return options_; }
  const Option* find(std::string_view name) const;  // by its name or the other one; null if absent

  // Throws ConfigError (place, expected, found) for a value of the wrong type.
  void check_types(const GivenValues& given) const;

  // Fills the fields. Throws ConfigError for what is missing or wrong.
  void fill(const GivenValues& given);

  // The option bound to `field`, once fill() works: whether it was given and not as unset, and
  // that as a flag; where a message about it points.
  bool is_given(const auto& field) const { return !values_of(&field).empty(); }
  bool is_given_as_flag(const auto& field) const {
    return is_given(field) && place(field) == at(field).flag();
  }
  std::string place(const auto& field) const { return place_of(option_of(&field)); }
  const Option& at(const auto& field) const { return option_of(&field); }
  // For afterwards(): it is logged, but makes no difference between runs.
  void make_incomparable(const auto& field) {
    options_[index_of(&field)].info.is_comparable = false;
  }

  // What fill() was given, as it is logged, defaults filled in, in the order of the declaration.
  std::vector<record::Param> params() const;

  // A sentence for each option that was given to fill() in vain and whose user may think otherwise.
  std::vector<std::string> describe_idle() const;

 private:
  // Throws ConfigError naming every required option that is missing.
  void check_required() const;
  void push(OptionKind kind,
            const void* field,
            OptionInfo info,
            std::function<void(const Given&)> assign);
  std::size_t index_of(const void* field) const;
  const Option& option_of(const void* field) const { return options_[index_of(field)]; }
  const std::vector<std::string>& values_of(const void* field) const;
  std::string place_of(const Option& option) const;

  std::string_view group_;
  std::vector<Option> options_;
  std::vector<std::function<void()>> afterwards_;
  GivenValues given_;
};

// One setting of a command, filled: what it computes, and what is logged of it.
template <typename Settings>
struct Setting {
  Settings settings;
  std::vector<record::Param> params;
  std::vector<std::string> idle;  // see OptionList::describe_idle()
};

// A logged parameter on one line; "-" if unset.
std::string describe(const record::ParamValue& value);

// What help calls a value where the declaration has no name for it: "N", "TEXT"; "" of a flag.
std::string_view usual_value(OptionKind kind);

// "--root-dir" for "root_dir".
std::string flag_of(std::string_view name);

// --- The parts of the templates ---

namespace detail {

template <typename T>
struct Unwrapped {
  using Type = T;
};
template <typename T>
struct Unwrapped<std::optional<T>> {
  using Type = T;
};

// The integer or number that the text is known to be. Throws ConfigError if it does not fit.
std::int64_t to_integer(const std::string& text, std::int64_t most);
double to_real(const std::string& text);

template <typename Field>
void assign_to(Field& field, const Given& given) {
  using Type = typename Unwrapped<Field>::Type;
  if constexpr (std::same_as<Type, std::vector<std::string>>) {
    field = given.values;
  } else if constexpr (std::same_as<Type, bool>) {
    field = given.values.front() == "true";
  } else if constexpr (std::integral<Type>) {
    constexpr auto kMost = std::numeric_limits<Type>::max();
    field = static_cast<Type>(
        to_integer(given.values.front(),
                   static_cast<std::int64_t>(std::min<std::uint64_t>(kMost, INT64_MAX))));
  } else if constexpr (std::floating_point<Type>) {
    field = to_real(given.values.front());
  } else {
    field = Type(given.values.front());
  }
}

template <typename Field>
constexpr OptionKind kind_of() {
  using Type = typename Unwrapped<Field>::Type;
  if constexpr (std::same_as<Type, std::vector<std::string>>) {
    return OptionKind::TextList;
  } else if constexpr (std::same_as<Type, bool>) {
    return OptionKind::Flag;
  } else if constexpr (std::integral<Type>) {
    return OptionKind::Integer;
  } else if constexpr (std::floating_point<Type>) {
    return OptionKind::Real;
  } else {
    return OptionKind::Text;
  }
}

}  // namespace detail

template <typename Field>
void OptionList::add(Field& field, OptionInfo info) {
  push(detail::kind_of<Field>(), &field, std::move(info),
       [&field](const Given& given) { detail::assign_to(field, given); });
}

template <typename Field, typename Parse>
void OptionList::add_parsed(Field& field, OptionInfo info, Parse parse) {
  push(OptionKind::Text, &field, std::move(info),
       [&field, parse](const Given& given) { field = parse(given.values.front()); });
}

template <typename Field, typename Parse>
void OptionList::also_parsed(Field& field, Parse parse) {
  options_.back().assign.push_back(
      [&field, parse](const Given& given) { field = parse(given.values.front()); });
}

template <typename Field>
void OptionList::also(Field& field) {
  options_.back().assign.push_back(
      [&field](const Given& given) { detail::assign_to(field, given); });
}

}  // namespace labelprobe::app
