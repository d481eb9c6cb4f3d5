// The errors of the whole program. Rooms throw them; only `app` turns them into messages and exit
// codes. A message says the place, what was expected, what was found and, where there is one, the
// next step.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace labelprobe {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A flag, config file, template or combination of options the user can mend.
class ConfigError : public Error {
 public:
  using Error::Error;
};

// A data file that is missing, truncated or not of the documented form.
class DataError : public Error {
 public:
  using Error::Error;
};

// A checkpoint, tokenizer or device that cannot be used.
class ModelError : public Error {
 public:
  using Error::Error;
};

// A bug of ours, never the user's mistake.
class InternalError : public Error {
 public:
  using Error::Error;
};

// "unknown <kind> '<given>'; did you mean 'b'? (known: a, b, c)"; the question is left out when
// nothing is near.
std::string unknown_choice(std::string_view kind,
                           std::string_view given,
                           std::span<const std::string> known);

// The known word with the smallest edit distance to `given`; empty if none is near enough to be a
// typing error.
std::string nearest_choice(std::string_view given, std::span<const std::string> known);

[[noreturn]] void fail_check(const char* condition, const char* file, int line);

}  // namespace labelprobe

// States what the code around it relies on; a violation is an InternalError.
#define LABELPROBE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::labelprobe::fail_check(#condition, __FILE__, __LINE__))
