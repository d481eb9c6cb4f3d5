#include "labelprobe/core/error.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace labelprobe {

namespace {

// Edit distance with adjacent transpositions counted once (optimal string alignment). A `b` of
// which `a` is only the beginning counts as one edit more than that beginning.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(row);
  }
  constexpr std::size_t kShortestBeginning = 4;
  if (a.size() < kShortestBeginning) return last[b.size()];
  return std::min(last[b.size()], *std::min_element(last.begin(), last.end()) + 1);
}

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return lower;
}

}  // namespace

std::string nearest_choice(std::string_view given, std::span<const std::string> known) {
  const std::string wanted = lowered(given);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (const std::string& name : known) {
    const std::string candidate = lowered(name);
    const bool is_prefix = wanted.size() >= 3 && candidate.starts_with(wanted);
    const std::size_t distance = is_prefix ? 1 : edit_distance(wanted, candidate);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

std::string unknown_choice(std::string_view kind,
                           std::string_view given,
                           std::span<const std::string> known) {
  std::string message = "unknown " + std::string(kind) + " '" + std::string(given) + "'";
  if (const std::string near = nearest_choice(given, known); !near.empty()) {
    message += "; did you mean '" + near + "'?";
  }
  message += " (known: ";
  for (std::size_t i = 0; i < known.size(); ++i) {
    message += (i > 0 ? ", " : "") + known[i];
  }
  return message + ")";
}

void fail_check(const char* condition, const char* file, int line) {
  throw InternalError(std::string(file) + ":" + std::to_string(line) +
                      ": check failed: " + condition);
}

}  // namespace labelprobe
