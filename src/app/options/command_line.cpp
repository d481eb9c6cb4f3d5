#include "app/options/command_line.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <vector>

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
    while (at_ < args_.size()) {
      const std::string& arg = args_[at_++];
      if (arg == "--") {
        operands_.insert(operands_.end(), args_.begin() + static_cast<std::ptrdiff_t>(at_),
                         args_.end());
        break;
      }
      if (is_flag(arg)) {
        take_flag(arg);
      } else {
        operands_.push_back(arg);
      }
    }
    give_operands();
    return std::move(given_);
  }

 private:
  void take_flag(const std::string& arg) {
    const std::size_t equals = std::min(arg.find('='), arg.size());
    const Option& option = choose(arg.substr(0, equals));
    std::vector<std::string> values;
    if (equals < arg.size()) {
      values.push_back(arg.substr(equals + 1));
    }
    const std::size_t most = most_values(option);
    while (values.size() < most && at_ < args_.size() && !is_flag(args_[at_]) &&
           args_[at_] != "--" && (values.empty() || args_.size() - at_ > n_operands_missing())) {
      values.push_back(args_[at_++]);
    }
    if (values.empty()) {
      if (option.kind != OptionKind::Flag) {
        throw ConfigError(fmt::format("{}: expected a value behind it", option.flag()));
      }
      values = {"true"};
    }
    given_[std::string(option.info.name)] = {std::move(values), option.flag()};
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

  // Of the operands that must be given, those that do not stand before here.
  std::size_t n_operands_missing() const {
    const auto all = options_.options();
    const auto n =
        static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const Option& option) {
          return option.is_operand && option.info.is_required;
        }));
    return n - std::min(n, operands_.size());
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

  void give_operands() {
    std::size_t n_taken = 0;
    for (const Option& option : options_.options()) {
      if (!option.is_operand || n_taken == operands_.size()) {
        continue;
      }
      const std::size_t n = option.kind == OptionKind::TextList ? operands_.size() - n_taken : 1;
      const auto begin = operands_.begin() + static_cast<std::ptrdiff_t>(n_taken);
      given_[std::string(option.info.name)] = {{begin, begin + static_cast<std::ptrdiff_t>(n)},
                                               option.flag()};
      n_taken += n;
    }
    if (n_taken < operands_.size()) {
      throw ConfigError(fmt::format("an argument was not expected: {}", operands_[n_taken]));
    }
  }

  std::span<const std::string> args_;
  const OptionList& options_;
  Grids grids_;
  const std::function<std::string(const std::string&)>& owners_;
  std::size_t at_ = 0;
  std::vector<std::string> operands_;
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
