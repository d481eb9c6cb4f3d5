// Regular expressions with the meaning Python's `re` gives them on text, matched by PCRE2.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;

namespace labelprobe::data {

// Where the whole match and its groups lie; a group that took no part is empty.
class RegexMatch {
 public:
  RegexMatch(std::string_view text, std::vector<std::size_t> bounds)
      : text_(text), bounds_(std::move(bounds)) {}

  std::string_view group(std::size_t i) const {
    return text_.substr(bounds_[2 * i], bounds_[2 * i + 1] - bounds_[2 * i]);
  }
  std::size_t begin() const { return bounds_[0]; }
  std::size_t end() const { return bounds_[1]; }

 private:
  std::string_view text_;
  std::vector<std::size_t> bounds_;
};

class TextRegex {
 public:
  // The pattern is ours: one that does not compile is an InternalError.
  explicit TextRegex(std::string_view pattern);
  ~TextRegex();
  TextRegex(const TextRegex&) = delete;
  TextRegex& operator=(const TextRegex&) = delete;

  // Calls `take` for every match from left to right; matches do not overlap. `text` must be UTF-8.
  // Throws DataError if matching takes unreasonably many steps.
  void for_each(std::string_view text, const std::function<void(const RegexMatch&)>& take) const;

  // Every match replaced by what `make` says of it.
  std::string replace(std::string_view text,
                      const std::function<std::string(const RegexMatch&)>& make) const;

  bool is_in(std::string_view text) const;

 private:
  pcre2_real_code_8* code_ = nullptr;
};

}  // namespace labelprobe::data
