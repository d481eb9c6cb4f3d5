#include "app/options/command_line.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

namespace {

bool is_flag(const std::string& arg) {
  return arg == "-h" || (arg.starts_with("--") && arg.size() > 2 &&
                         std::isalpha(static_cast<unsigned char>(arg[2])) != 0);
}

class Parser {
 public:
  Parser(std::span<const std::string> args,
         const OptionList& options,
         Grids grids,
         const std::function<std::string(const std::string&)>& owners)
      : args_(args), options_(options), grids_(grids), owners_(owners) {}

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
      if (left != "--") throw ConfigError(fmt::format("an argument was not expected: {}", left));
    }
    return std::move(given_);
  }

 private:
  void declare(CLI::App& app, const Option& option) {
    const auto keep = [this, &option](const CLI::results_t& values) {
      given_[std::string(option.info.name)] = {values, option.flag()};
      return true;
    };
    const std::size_t most = most_values(option);
    CLI::Option* declared = app.add_option(
        option.is_operand ? std::string(option.info.name) : option.flag(), CLI::callback_t(keep));
    // Each time that a flag is met anew: the last one counts.
    declared->trigger_on_parse();
    if (most == 0) {
      declared->expected(0);
    } else if (most > 1) {
      const std::size_t bound = CLI::detail::expected_max_vector_size;
      declared->expected(1, static_cast<int>(std::min(most, bound)));
      declared->allow_extra_args(most > bound);
    }
    declared->required(option.is_operand && option.info.is_required);
  }

  // The words with every flag in full, so that CLI11 knows it.
  std::vector<std::string> spelled_out() const {
    std::vector<std::string> words;
    bool is_list_open = false;
    for (std::size_t at = 0; at < args_.size(); ++at) {
      const std::string& arg = args_[at];
      if (arg == "--") {
        // CLI11 takes a first one for the end of a list of values.
        if (is_list_open) words.push_back(arg);
        words.insert(words.end(), args_.begin() + static_cast<std::ptrdiff_t>(at), args_.end());
        break;
      }
      if (!is_flag(arg)) {
        words.push_back(arg);
        continue;
      }
      const std::size_t equals = std::min(arg.find('='), arg.size());
      const Option& option = choose(arg.substr(0, equals));
      is_list_open = most_values(option) > 1;
      // An empty value behind an equals sign would be none to CLI11.
      const bool is_empty = equals + 1 == arg.size();
      words.push_back(option.flag() + (is_empty ? "" : arg.substr(equals)));
      if (is_empty) words.emplace_back();
    }
    return words;
  }

  std::size_t most_values(const Option& option) const {
    switch (option.kind) {
      case OptionKind::Flag:
        return 0;
      case OptionKind::Range:
        return 2;
      case OptionKind::TextList:
        return SIZE_MAX;
      default:
        return option.spans_grid() && grids_ == Grids::Taken ? SIZE_MAX : 1;
    }
  }

  const Option& choose(const std::string& arg) const {
    std::string flag = arg == "-h" ? "--help" : arg;
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

  std::span<const std::string> args_;
  const OptionList& options_;
  Grids grids_;
  const std::function<std::string(const std::string&)>& owners_;
  GivenValues given_;
};

}  // namespace

GivenValues parse_command_line(std::span<const std::string> args,
                               const OptionList& options,
                               Grids grids,
                               const std::function<std::string(const std::string& flag)>& owners) {
  return Parser(args, options, grids, owners).parse();
}

}  // namespace labelprobe::app
