#include "data/cleaning/text_preprocessor_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"

#include "data/reading/records.h"

namespace labelprobe::data {

namespace {

constexpr std::size_t kLongestWord = 20;
// A word with more doubled characters keeps them: 2^12 spellings are enough to look up.
constexpr std::size_t kMostDoubled = 12;

// In the keys of pairs, as ekphrasis joins them; the files have a tab there.
constexpr char kBetweenWords = '_';

std::unordered_map<std::string, double> read_counts(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) {
    throw ConfigError(path.string() +
                      ": expected the counts of word_statistics (a word, a tab, its count), found "
                      "no such file; ekphrasis fetches them as 'twitter_2018', or leave "
                      "word_statistics out");
  }
  const files::MappedFile file = files::open_file(path, "the counts of word_statistics");
  files::check_utf8(file);
  std::unordered_map<std::string, double> counts;
  std::size_t n_lines = 0;
  for (const std::string& line : files::read_lines(file)) {
    ++n_lines;
    const std::size_t tab = line.rfind('\t');
    std::uint64_t count = 0;
    const char* end = line.data() + line.size();
    const char* begin = tab == std::string::npos ? end : line.data() + tab + 1;
    const auto [stop, error] = std::from_chars(begin, end, count);
    if (tab == std::string::npos || tab == 0 || error != std::errc() || stop != end || count == 0) {
      throw DataError(fmt::format("{}:{}: expected a word, a tab and a count above 0, found {}",
                                  path.string(), n_lines, files::shown(line)));
    }
    std::string words = line.substr(0, tab);
    std::replace(words.begin(), words.end(), '\t', kBetweenWords);
    counts[std::move(words)] = static_cast<double>(count);
  }
  if (counts.empty()) {
    throw DataError(path.string() + ":1: expected a word, a tab and a count, found an empty file");
  }
  return counts;
}

// Where the characters of a UTF-8 text begin, and its end.
std::vector<std::size_t> character_starts(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!continues_character(text[i])) {
      starts.push_back(i);
    }
  }
  starts.push_back(text.size());
  return starts;
}

// The best split of what follows a word.
struct Split {
  double logprob = 0.0;
  std::size_t first_length = 0;  // in characters; 0 at the end of the text
};

}  // namespace

WordStatistics::WordStatistics(const std::filesystem::path& folder)
    : count_of_word_(read_counts(folder / "counts_1grams.txt")),
      count_of_pair_(read_counts(folder / "counts_2grams.txt")) {
  for (const auto& [word, count] : count_of_word_) {
    n_words_ += count;  // whole numbers: exact in any order up to 2^53
  }
}

double WordStatistics::log_prob(const std::string& word, const std::string& previous) const {
  const auto pair = count_of_pair_.find(previous + kBetweenWords + word);
  const auto before = count_of_word_.find(previous);
  if (pair != count_of_pair_.end() && before != count_of_word_.end()) {
    return std::log10(pair->second / before->second);
  }
  const auto known = count_of_word_.find(word);
  return std::log10(known != count_of_word_.end()
                        ? known->second / n_words_
                        : 10.0 / (n_words_ * std::pow(10.0, n_characters(word))));
}

std::string WordStatistics::segment(std::string_view text) const {
  const std::vector<std::size_t> starts = character_starts(text);
  const std::size_t n = starts.size() - 1;
  const auto word_at = [&](std::size_t at, std::size_t length) {
    return std::string(text.substr(starts[at], starts[at + length] - starts[at]));
  };
  // best[at][length]: of the text from `at` on, behind a word of `length` characters.
  std::vector<std::vector<Split>> best(n + 1, std::vector<Split>(kLongestWord + 1));
  // Equally probable splits: the one whose words are larger, the first that differs deciding.
  const auto is_larger = [&](std::size_t at, std::size_t left, std::size_t right) {
    std::size_t left_at = at;
    std::size_t right_at = at;
    while (left != 0 && right != 0) {
      const std::string left_word = word_at(left_at, left);
      const std::string right_word = word_at(right_at, right);
      if (left_word != right_word) {
        return left_word > right_word;
      }
      left_at += left;
      right_at += right;
      left = best[left_at][left].first_length;
      right = best[right_at][right].first_length;
    }
    return left != 0;
  };
  for (std::size_t at = n; at-- > 0;) {
    for (std::size_t before = at == 0 ? 0 : 1; before <= std::min(at, kLongestWord); ++before) {
      const std::string previous = at == 0 ? "<S>" : word_at(at - before, before);
      Split& split = best[at][before];
      for (std::size_t length = 1; length <= std::min(kLongestWord, n - at); ++length) {
        const double logprob =
            log_prob(word_at(at, length), previous) + best[at + length][length].logprob;
        if (split.first_length == 0 || logprob > split.logprob ||
            (logprob == split.logprob && is_larger(at, length, split.first_length))) {
          split = {logprob, length};
        }
      }
    }
  }
  std::string words;
  for (std::size_t at = 0, length = best[0][0].first_length; at < n;) {
    words += (at == 0 ? "" : " ") + word_at(at, length);
    at += length;
    length = best[at][length].first_length;
  }
  return words;
}

std::string WordStatistics::shortest_known(const std::string& word) const {
  const std::vector<std::size_t> starts = character_starts(word);
  std::vector<std::string> characters;
  std::vector<std::size_t> doubled;  // positions of second characters
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    characters.push_back(word.substr(starts[i], starts[i + 1] - starts[i]));
    if (i > 0 && characters[i] == characters[i - 1]) {
      doubled.push_back(i);
    }
  }
  doubled.resize(std::min(doubled.size(), kMostDoubled));
  std::string most_frequent = word;
  double largest_count = 0.0;
  for (std::size_t dropped = 0; dropped < (std::size_t{1} << doubled.size()); ++dropped) {
    std::string shorter;
    for (std::size_t i = 0, next = 0; i < characters.size(); ++i) {
      const bool is_doubled = next < doubled.size() && doubled[next] == i;
      const bool is_dropped = is_doubled && ((dropped >> next) & 1) != 0;
      next += is_doubled ? 1 : 0;
      shorter += is_dropped ? "" : characters[i];
    }
    const auto known = count_of_word_.find(shorter);
    if (known != count_of_word_.end() && known->second > largest_count) {
      largest_count = known->second;
      most_frequent = shorter;
    }
  }
  return most_frequent;
}

}  // namespace labelprobe::data
