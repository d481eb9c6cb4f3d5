// Metadata of a GGUF file by key; reading the file itself is in gguf.cpp.
#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/gguf.h"

namespace labelprobe::files {

bool GgufFile::has(std::string_view key) const {
  return metadata_.find(key) != metadata_.end();
}

namespace {

[[noreturn]] void fail_key(const GgufFile& gguf, std::string_view key, const char* expected) {
  throw ModelError(fmt::format("{}: metadata key '{}': expected {}{}", gguf.path().string(), key,
                               expected,
                               gguf.has(key) ? ", found another type" : ", found no such key"));
}

// The value of `key` as it is stored, null if it is missing or of another type.
template <class T>
const T* find(const GgufFile& gguf, std::string_view key) {
  const auto found = gguf.metadata().find(key);
  return found == gguf.metadata().end() ? nullptr : std::get_if<T>(&found->second);
}

bool fits_signed(std::uint64_t number) {
  return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

}  // namespace

std::int64_t GgufFile::integer(std::string_view key) const {
  if (const auto* number = find<std::uint64_t>(*this, key)) {
    if (!fits_signed(*number)) {
      fail_key(*this, key, "an integer below 2^63");
    }
    return static_cast<std::int64_t>(*number);
  }
  if (const auto* number = find<std::int64_t>(*this, key)) {
    return *number;
  }
  fail_key(*this, key, "an integer");
}

double GgufFile::number(std::string_view key) const {
  if (const auto* number = find<double>(*this, key)) {
    return *number;
  }
  if (find<std::uint64_t>(*this, key) != nullptr || find<std::int64_t>(*this, key) != nullptr) {
    return static_cast<double>(integer(key));
  }
  fail_key(*this, key, "a number");
}

const std::string& GgufFile::string(std::string_view key) const {
  if (const auto* text = find<std::string>(*this, key)) {
    return *text;
  }
  fail_key(*this, key, "a text");
}

const std::vector<std::string>& GgufFile::strings(std::string_view key) const {
  if (const auto* texts = find<std::vector<std::string>>(*this, key)) {
    return *texts;
  }
  fail_key(*this, key, "an array of texts");
}

std::vector<std::int64_t> GgufFile::integers(std::string_view key) const {
  if (const auto* numbers = find<std::vector<std::int64_t>>(*this, key)) {
    return *numbers;
  }
  if (const auto* numbers = find<std::vector<std::uint64_t>>(*this, key)) {
    if (!std::all_of(numbers->begin(), numbers->end(), fits_signed)) {
      fail_key(*this, key, "an array of integers below 2^63");
    }
    return {numbers->begin(), numbers->end()};
  }
  fail_key(*this, key, "an array of integers");
}

bool GgufFile::boolean_or(std::string_view key, bool otherwise) const {
  if (!has(key)) {
    return otherwise;
  }
  if (const auto* flag = find<bool>(*this, key)) {
    return *flag;
  }
  fail_key(*this, key, "a bool");
}

std::int64_t GgufFile::integer_or(std::string_view key, std::int64_t otherwise) const {
  return has(key) ? integer(key) : otherwise;
}

double GgufFile::number_or(std::string_view key, double otherwise) const {
  return has(key) ? number(key) : otherwise;
}

std::string GgufFile::string_or(std::string_view key, std::string_view otherwise) const {
  return has(key) ? string(key) : std::string(otherwise);
}

}  // namespace labelprobe::files
