#include "data/cleaning/text_preprocessor_regex.h"

#include <cstdint>
#include <memory>

#include <fmt/core.h>

#include "labelprobe/core/error.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace labelprobe::data {

TextRegex::TextRegex(std::string_view pattern) {
  int error = 0;
  PCRE2_SIZE error_at = 0;
  code_ =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &error_at, nullptr);
  if (code_ == nullptr) {
    throw InternalError(
        fmt::format("the regular expression '{}' does not compile at byte {}", pattern, error_at));
  }
  pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE);  // without it the matching is slower, no more
}

TextRegex::~TextRegex() {
  pcre2_code_free(code_);
}

void TextRegex::for_each(std::string_view text,
                         const std::function<void(const RegexMatch&)>& take) const {
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> space(
      pcre2_match_data_create_from_pattern(code_, nullptr), &pcre2_match_data_free);
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  for (std::size_t from = 0; from <= text.size();) {
    const auto match = [&](std::uint32_t how) {
      return pcre2_match(code_, subject, text.size(), from, how, space.get(), nullptr);
    };
    int n_groups = match(PCRE2_NOTEMPTY);
    if (n_groups == PCRE2_ERROR_JIT_STACKLIMIT) {
      n_groups = match(PCRE2_NOTEMPTY | PCRE2_NO_JIT);  // slower, with memory of the heap
    }
    if (n_groups == PCRE2_ERROR_NOMATCH) {
      return;
    }
    if (n_groups < 0) {
      throw DataError(
          fmt::format("text_preprocessor: expected a text that can be searched, found one of {} "
                      "bytes that PCRE2 fails on (error {})",
                      text.size(), n_groups));
    }
    const PCRE2_SIZE* ovector = pcre2_get_ovector_pointer(space.get());
    std::vector<std::size_t> bounds(ovector, ovector + 2 * pcre2_get_ovector_count(space.get()));
    for (std::size_t& bound : bounds) {
      bound = bound == PCRE2_UNSET ? 0 : bound;
    }
    from = bounds[1];
    take(RegexMatch(text, std::move(bounds)));
  }
}

std::string TextRegex::replace(std::string_view text,
                               const std::function<std::string(const RegexMatch&)>& make) const {
  std::string replaced;
  std::size_t done = 0;
  for_each(text, [&](const RegexMatch& match) {
    replaced += text.substr(done, match.begin() - done);
    replaced += make(match);
    done = match.end();
  });
  return replaced.append(text.substr(done));
}

bool TextRegex::is_in(std::string_view text) const {
  bool is_found = false;
  for_each(text, [&](const RegexMatch&) { is_found = true; });
  return is_found;
}

}  // namespace labelprobe::data
