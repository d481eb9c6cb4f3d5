#include "app/options/command_line.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

bool is_long_flag(const std::string& arg) {
  return arg.starts_with("--") && arg.size() > 2 &&
         std::isalpha(static_cast<unsigned char>(arg[2])) != 0;
}

// Values reach CLI11 behind a letter for their depth, so that it reads none of them as a flag, a
// list in brackets or nothing at all.
constexpr char kOutside = '@';

std::string masked(const std::string& value, int depth) {
  return static_cast<char>(kOutside + depth) + value;
}

class Parser {
 public:
  Parser(std::span<const Word> words,
         const OptionList& options,
         Grids grids,
         const std::function<std::string(const std::string&)>& owners)
      : words_(words), options_(options), grids_(grids), owners_(owners) {}

  GivenValues parse() {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    for (const Option& option : options_.options()) declare(app, option);
    std::vector<std::string> words = spelled_out();
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    try {
      app.parse(words);
    } catch (const CLI::RequiredError&) {
      // Who asked for the values says what is missing, after config files were read.
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string text = error.what();
      throw ConfigError(
          fmt::format("{}: expected a value behind it", text.substr(0, text.find(':'))));
    } catch (const CLI::ParseError& error) {
      throw ConfigError(error.what());
    }
    for (const std::string& left : app.remaining()) {
      if (left != "--") {
        throw ConfigError(fmt::format("an argument was not expected: {}", left.substr(1)));
      }
    }
    check_operands();
    return std::move(given_);
  }

 private:
  void declare(CLI::App& app, const Option& option) {
    const auto keep = [this, &option](const CLI::results_t& values) {
      this->keep(option, values);
      return true;
    };
    const std::size_t most = most_values(option);
    CLI::Option* declared = app.add_option(
        option.is_operand ? std::string(option.info.name) : option.flag(), CLI::callback_t(keep));
    declared->trigger_on_parse(!option.is_operand);  // each time that a flag is met
    if (most == 0) {
      declared->expected(0);
    } else if (most > 1) {
      // CLI11 takes a higher number for "without bound", which adds rules of its own.
      constexpr std::size_t kBound = CLI::detail::expected_max_vector_size / 32;
      declared->expected(1, static_cast<int>(std::min(most, kBound)));
      declared->allow_extra_args(option.is_operand);  // else it takes one word only
    }
    declared->required(option.is_operand && option.info.is_required);
  }

  // Adds the values that stand behind one flag.
  void keep(const Option& option, const CLI::results_t& found) {
    Given now = {{}, option.flag()};
    int depth = 0;
    if (option.kind == OptionKind::Flag) {
      const Word& flag = flags_.at(option.info.name);
      now.values = {flag.text};
      depth = flag.depth;
    } else {
      for (const std::string& value : found) now.values.push_back(value.substr(1));
      depth = found.front().front() - kOutside;
    }
    const std::string name(option.info.name);
    const auto [before, is_first] = given_.try_emplace(name, now);
    int& depth_before = depths_[name];
    if (!is_first && depth > depth_before) {
      before->second = now;
    } else if (!is_first && adds_up(option)) {
      std::vector<std::string>& values = before->second.values;
      values.insert(values.end(), now.values.begin(), now.values.end());
    } else if (!is_first && before->second.values != now.values) {
      throw ConfigError(fmt::format("{}: expected once, found '{}' and then '{}'", option.flag(),
                                    fmt::join(before->second.values, " "),
                                    fmt::join(now.values, " ")));
    }
    depth_before = depth;
  }

  // Whether the word is a flag: a long one, or a letter that an option has.
  bool is_flag(const std::string& arg) const { return is_long_flag(arg) || by_letter(arg); }

  const Option* by_letter(const std::string& arg) const {
    if (arg.size() != 2 || arg[0] != '-') return nullptr;
    for (const Option& option : options_.options()) {
      if (option.letter() != 0 && option.letter() == arg[1]) return &option;
    }
    return nullptr;
  }

  bool adds_up(const Option& option) const {
    return option.kind == OptionKind::TextList || option.kind == OptionKind::GridList ||
           (grids_ == Grids::Taken && option.spans_grid());
  }

  // The words with every flag in full, so that CLI11 knows it, and every value masked.
  std::vector<std::string> spelled_out() {
    std::vector<std::string> words;
    bool is_list_open = false;
    bool takes_flags = true;
    for (const auto& [text, depth] : words_) {
      if (!takes_flags) {
        words.push_back(masked(text, depth));
      } else if (text == "--") {
        // CLI11 takes a first one for the end of a list of values.
        words.insert(words.end(), is_list_open ? 2 : 1, text);
        takes_flags = false;
      } else if (!is_flag(text)) {
        words.push_back(masked(text, depth));
      } else {
        const std::size_t equals = std::min(text.find('='), text.size());
        const Option& option = choose(text.substr(0, equals));
        is_list_open = most_values(option) > 1;
        words.push_back(option.flag());
        const bool has_value = equals < text.size();
        if (option.kind == OptionKind::Flag) {
          flags_[option.info.name] = {has_value ? text.substr(equals + 1) : "true", depth};
        } else if (has_value) {
          words.push_back(masked(text.substr(equals + 1), depth));
        }
      }
    }
    return words;
  }

  // Where an operand is missing, a flag that takes several words may have taken its.
  void check_operands() const {
    if (given_.contains("help") || given_.contains("help_all")) return;
    for (const Option& option : options_.options()) {
      if (!option.is_operand || !option.info.is_required || given_.contains(option.info.name)) {
        continue;
      }
      for (const Option& other : options_.options()) {
        const auto found = given_.find(other.info.name);
        if (most_values(other) > 1 && found != given_.end() && !other.is_operand) {
          throw ConfigError(
              fmt::format("{} is required: {}. {} took '{}'; {} comes first, or behind --",
                          option.info.name, option.info.help, other.flag(),
                          fmt::join(found->second.values, " "), option.info.name));
        }
      }
    }
  }

  std::size_t most_values(const Option& option) const {
    switch (option.kind) {
      case OptionKind::Flag:
        return 0;
      case OptionKind::Range:
        return 2;
      case OptionKind::TextList:
        return option.info.is_one_by_one ? 1 : SIZE_MAX;
      default:
        return option.spans_grid() && grids_ == Grids::Taken ? SIZE_MAX : 1;
    }
  }

  const Option& choose(const std::string& arg) const {
    if (const Option* option = by_letter(arg)) return *option;
    std::string flag = arg;
    std::replace(flag.begin(), flag.end(), '_', '-');
    std::vector<const Option*> starting;
    std::vector<std::string> spelled;
    std::vector<std::string> known;
    for (const Option& option : options_.options()) {
      for (const std::string& one :
           option.is_operand ? std::vector<std::string>{} : option.flags()) {
        if (one == flag) {
          return option;
        }
        known.push_back(one.substr(2));
        if (!one.starts_with(flag)) {
          continue;
        }
        spelled.push_back(one);
        if (starting.empty() || starting.back() != &option) {
          starting.push_back(&option);
        }
      }
    }
    if (starting.size() == 1) {
      return *starting.front();
    }
    if (starting.size() > 1) {
      throw ConfigError(
          fmt::format("{} is the beginning of several flags: {}", flag, fmt::join(spelled, " ")));
    }
    const std::string near = nearest_choice(flag.substr(2), known);
    throw ConfigError(fmt::format("unknown flag '{}'{}{} (--help-all lists all)", flag,
                                  owners_(flag),
                                  near.empty() ? "" : "; did you mean '--" + near + "'?"));
  }

  std::span<const Word> words_;
  const OptionList& options_;
  Grids grids_;
  const std::function<std::string(const std::string&)>& owners_;
  std::map<std::string_view, Word> flags_;  // options without a value: "true" where it stood last
  GivenValues given_;
  std::map<std::string, int> depths_;  // of what is given
};

}  // namespace

std::vector<Word> words_of(std::span<const std::string> args) {
  std::vector<Word> words;
  for (const std::string& arg : args) words.push_back({arg});
  return words;
}

GivenValues parse_command_line(std::span<const Word> words,
                               const OptionList& options,
                               Grids grids,
                               const std::function<std::string(const std::string& flag)>& owners) {
  return Parser(words, options, grids, owners).parse();
}

}  // namespace labelprobe::app
