#include "app/options/grid.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

constexpr std::string_view kReference = "args.";
constexpr std::size_t kDeepestGroup = 20;
constexpr std::size_t kLongestShown = 40;  // of a text in a setting's description

// One level of braces: arguments, and the groups among them.
struct Group {
  std::vector<std::string> args;
  std::vector<Group> groups;
};

// How many more '{' than '}' the argument has.
std::int64_t surplus(std::string_view arg) {
  return std::count(arg.begin(), arg.end(), '{') - std::count(arg.begin(), arg.end(), '}');
}

// '{' at the argument's beginning that open groups, taken off it. Before anything but a flag they
// belong to an odd text.
std::size_t take_openings(std::string& arg) {
  std::size_t n = 0;
  while (surplus(arg) > 0 && arg[0] == '{' &&
         (arg.size() == 1 || arg[1] == '{' || arg.compare(1, 2, "--") == 0)) {
    arg.erase(0, 1);
    ++n;
  }
  return n;
}

// '}' at the argument's end that close groups, taken off it.
std::size_t take_closings(std::string& arg, std::size_t most) {
  std::size_t n = 0;
  while (n < most && surplus(arg) < 0 && arg.ends_with('}')) {
    arg.pop_back();
    ++n;
  }
  return n;
}

Group parse_groups(const std::vector<std::string>& args) {
  std::vector<Group> open(1);  // the whole command line, then each group that is not closed yet
  for (std::string arg : args) {
    const bool is_given_empty = arg.empty();
    for (std::size_t n = take_openings(arg); n > 0; --n) {
      open.emplace_back();
    }
    if (open.size() > kDeepestGroup) {
      throw ConfigError("groups in { } stand more than " + std::to_string(kDeepestGroup) + " deep");
    }
    const std::size_t n_closed = take_closings(arg, open.size() - 1);
    if (arg == "}" || (n_closed > 0 && surplus(arg) < 0)) {
      throw ConfigError("'}' closes no group: expected a '{' before it");
    }
    if (!arg.empty() || is_given_empty) {
      if (open.size() > 1 && open.back().args.empty() && !arg.starts_with("--")) {
        throw ConfigError("expected a flag first in a group in { }, found '" + arg + "'");
      }
      open.back().args.push_back(arg);
    }
    for (std::size_t n = 0; n < n_closed; ++n) {
      Group done = std::move(open.back());
      open.pop_back();
      open.back().groups.push_back(std::move(done));
    }
  }
  if (open.size() > 1) {
    throw ConfigError("a '{' that opens a group of flags is not closed: expected a '}'");
  }
  return std::move(open.front());
}

void collect(const Group& group,
             int depth,
             std::vector<Word> before,
             std::vector<std::vector<Word>>& lines) {
  for (const std::string& arg : group.args) before.push_back({arg, depth});
  if (group.groups.empty()) {
    lines.push_back(std::move(before));
    return;
  }
  for (const Group& inner : group.groups) {
    collect(inner, depth + 1, before, lines);
  }
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> elements;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('|', start), text.size());
    elements.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return elements;
}

// The values that an option has one after the other; each a list of its own.
std::vector<std::vector<std::string>> choices(const Option& option,
                                              const std::vector<std::string>& values) {
  if (!option.spans_grid() || values.empty()) {  // an empty list is as good as unset
    return {values};
  }
  std::vector<std::vector<std::string>> each;
  for (const std::string& value : values) {
    if (option.info.shorthand && option.info.shorthand->first == value) {
      for (const std::string& meant : option.info.shorthand->second) {
        each.push_back({meant});
      }
    } else if (option.kind == OptionKind::GridList) {
      each.push_back(split_list(value));
    } else {
      each.push_back({value});
    }
  }
  return each;
}

// The option that a reference names. Throws ConfigError with the nearest.
const Option& referred(std::span<const Option> declared, const Given& given) {
  std::string target = given.values[0].substr(kReference.size());
  std::replace(target.begin(), target.end(), '-', '_');
  std::vector<std::string> known;
  for (const Option& option : declared) {
    if (option.is_operand || option.is_built_in) {
      continue;
    }
    if (option.info.name == target) {
      return option;
    }
    known.emplace_back(option.info.name);
  }
  throw ConfigError(fmt::format("{}: {}: {}", given.place, given.values[0],
                                unknown_choice("option", target, known)));
}

// Replaces references and the word for "unset" in one setting.
void resolve(std::span<const Option> declared, GivenValues& setting) {
  for (auto& [name, given] : setting) {
    for (std::size_t n_steps = 0;
         given.values.size() == 1 && given.values[0].starts_with(kReference); ++n_steps) {
      const Option& option = referred(declared, given);
      if (n_steps > declared.size()) {
        throw ConfigError(
            fmt::format("{}: {} leads back to {}", given.place, given.values[0], name));
      }
      const auto found = setting.find(option.info.name);
      if (found != setting.end()) {
        given.values = found->second.values;
      } else if (option.info.fallback.empty()) {
        given.values = {std::string(kUnset)};
      } else {
        given.values = {std::string(option.info.fallback)};
      }
    }
  }
  for (auto& [name, given] : setting) {
    if (given.values.size() == 1 && given.values[0] == kUnset) {
      given.values.clear();
    }
  }
}

std::string shown(const record::ParamValue& value) {
  if (std::holds_alternative<std::monostate>(value)) {
    return "unset";
  }
  std::string text = describe(value);
  if (const auto* given = std::get_if<std::string>(&value); given && text.size() <= kLongestShown &&
                                                            text.find(' ') == std::string::npos &&
                                                            !given->empty()) {
    return *given;  // a plain word needs no quotes
  }
  if (text.size() > kLongestShown) {
    std::size_t end = kLongestShown - 4;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;  // not inside a UTF-8 character
    }
    text = text.substr(0, end) + "...'";
  }
  return text;
}

}  // namespace

std::vector<std::vector<Word>> expand_groups(const std::vector<std::string>& args) {
  std::vector<std::vector<Word>> lines;
  collect(parse_groups(args), 0, {}, lines);
  return lines;
}

std::vector<GivenValues> expand_values(std::span<const Option> declared, const GivenValues& given) {
  std::vector<GivenValues> settings = {given};
  for (const Option& option : declared) {
    const auto found = given.find(option.info.name);
    if (found == given.end()) {
      continue;
    }
    const auto each = choices(option, found->second.values);
    if (each.size() > kMostSettings / settings.size()) {
      throw ConfigError(fmt::format("{}: the grid has more than {} settings", found->second.place,
                                    kMostSettings));
    }
    std::vector<GivenValues> combined;
    for (const std::vector<std::string>& values : each) {
      for (GivenValues setting : settings) {
        setting.find(option.info.name)->second.values = values;
        combined.push_back(std::move(setting));
      }
    }
    settings = std::move(combined);
  }
  for (GivenValues& setting : settings) {
    resolve(declared, setting);
  }
  return settings;
}

std::vector<std::string> describe_differences(
    std::span<const std::vector<record::Param>> settings) {
  std::vector<std::string> differences(settings.size());
  for (std::size_t p = 0; !settings.empty() && p < settings[0].size(); ++p) {
    const bool is_same = std::all_of(settings.begin(), settings.end(), [&](const auto& params) {
      return params[p].value == settings[0][p].value;
    });
    for (std::size_t s = 0; !is_same && s < settings.size(); ++s) {
      differences[s] += fmt::format("{}{} {}", differences[s].empty() ? "" : ", ",
                                    settings[s][p].name, shown(settings[s][p].value));
    }
  }
  return differences;
}

}  // namespace labelprobe::app
