#include "data/tasks/cell_pattern.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace labelprobe::data {

namespace {

PCRE2_SPTR units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

std::string message_of(int status) {
  std::array<PCRE2_UCHAR, 256> message{};
  pcre2_get_error_message(status, message.data(), message.size());
  return reinterpret_cast<const char*>(message.data());
}

using Space = std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)>;
using Limits = std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)>;

Space space_for(const pcre2_code* code) {
  return {pcre2_match_data_create_from_pattern(code, nullptr), &pcre2_match_data_free};
}

Limits limits() {
  Limits context(pcre2_match_context_create(nullptr), &pcre2_match_context_free);
  pcre2_set_match_limit(context.get(), limits::kPatternSteps);
  return context;
}

}  // namespace

void CellPattern::FreeCode::operator()(pcre2_real_code_8* code) const {
  pcre2_code_free(code);
}

CellPattern::CellPattern(const std::string& pattern, const std::string& place)
    : pattern_(pattern), place_(place) {
  if (!is_utf8(pattern)) throw ConfigError(place + ": expected a pattern in UTF-8");
  int error = 0;
  PCRE2_SIZE error_at = 0;
  code_.reset(pcre2_compile(units(pattern), pattern.size(),
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &error_at,
                            nullptr));
  if (code_ == nullptr) {
    throw ConfigError(
        fmt::format("{}: expected a regular expression, found '{}', which is none at "
                    "byte {}: {}",
                    place, pattern, error_at, message_of(error)));
  }
  pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // without it the matching is slower, no more
  std::uint32_t n_names = 0;
  std::uint32_t n_bytes = 0;
  PCRE2_SPTR names = nullptr;
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMECOUNT, &n_names);
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMEENTRYSIZE, &n_bytes);
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMETABLE, &names);
  std::vector<std::pair<std::size_t, std::string>> found;
  for (std::uint32_t i = 0; i < n_names; ++i) {
    const PCRE2_SPTR entry = names + std::size_t{i} * n_bytes;
    const std::size_t number = static_cast<std::size_t>(entry[0]) << 8U | entry[1];
    found.emplace_back(number, reinterpret_cast<const char*>(entry + 2));
  }
  std::sort(found.begin(), found.end());
  for (auto& [number, name] : found) {
    numbers_.push_back(number);
    groups_.push_back(std::move(name));
  }
}

void CellPattern::fail(int status, std::size_t n_bytes, const std::string& row_place) const {
  throw DataError(fmt::format(
      "{}: expected a cell that can be searched, found one of {} bytes on which the pattern '{}' "
      "gives up ({}); make the pattern simpler ({})",
      row_place, n_bytes, files::printable(pattern_), message_of(status), place_));
}

std::optional<std::vector<std::string>> CellPattern::find(std::string_view cell,
                                                          const std::string& row_place) const {
  const Space space = space_for(code_.get());
  const Limits context = limits();
  const auto match = [&](std::uint32_t how) {
    return pcre2_match(code_.get(), units(cell), cell.size(), 0, how, space.get(), context.get());
  };
  int status = match(0);
  // Slower, with memory of the heap.
  if (status == PCRE2_ERROR_JIT_STACKLIMIT) status = match(PCRE2_NO_JIT);
  if (status == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (status < 0) fail(status, cell.size(), row_place);
  const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(space.get());
  std::vector<std::string> texts;
  texts.reserve(numbers_.size());
  for (const std::size_t number : numbers_) {
    const PCRE2_SIZE begin = bounds[2 * number];
    const PCRE2_SIZE end = bounds[2 * number + 1];
    texts.emplace_back(begin == PCRE2_UNSET ? "" : cell.substr(begin, end - begin));
  }
  return texts;
}

bool CellPattern::is_in(std::string_view cell, const std::string& row_place) const {
  return find(cell, row_place).has_value();
}

std::string CellPattern::replace(const std::string& cell,
                                 const std::string& replacement,
                                 const std::string& row_place) const {
  const Limits context = limits();
  std::string replaced(cell.size() * 2 + 64, '\0');
  int status = PCRE2_ERROR_NOMEMORY;
  for (int attempt = 0; attempt < 2 && status == PCRE2_ERROR_NOMEMORY; ++attempt) {
    PCRE2_SIZE n_bytes = replaced.size();
    status = pcre2_substitute(
        code_.get(), units(cell), cell.size(), 0,
        PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | PCRE2_SUBSTITUTE_UNSET_EMPTY,
        nullptr, context.get(), units(replacement), replacement.size(),
        reinterpret_cast<PCRE2_UCHAR*>(replaced.data()), &n_bytes);
    if (status >= 0 || status == PCRE2_ERROR_NOMEMORY) replaced.resize(n_bytes);
  }
  if (status >= 0) return replaced;
  const bool is_bad_text =
      status == PCRE2_ERROR_BADREPLACEMENT || status == PCRE2_ERROR_BADREPESCAPE ||
      status == PCRE2_ERROR_REPMISSINGBRACE || status == PCRE2_ERROR_NOSUBSTRING;
  if (is_bad_text) {
    throw ConfigError(
        fmt::format("{}: expected a replacement of '{}', found '{}': {}; $1 and "
                    "${{name}} stand for groups, $$ for a dollar",
                    place_, pattern_, replacement, message_of(status)));
  }
  fail(status, cell.size(), row_place);
}

}  // namespace labelprobe::data
