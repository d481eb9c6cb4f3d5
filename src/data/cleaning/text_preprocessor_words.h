// How often words and pairs of words are written, and what follows from it: where the words of a
// hashtag end and which word an elongated one stands for.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace labelprobe::data {

class WordStatistics {
 public:
  // Reads counts_1grams.txt and counts_2grams.txt of the folder: a word, or two with a tab
  // between, a tab, and how often it was seen. Throws ConfigError if a file is missing, DataError
  // (file, line, expected, found) for one not of that form or without any word.
  explicit WordStatistics(const std::filesystem::path& folder);

  // The most probable split of `text` into words, joined with spaces. A word has up to 20
  // characters.
  std::string segment(std::string_view text) const;

  // The most frequent of the words that `word` becomes when doubled characters are made single,
  // none, some or all of them; `word` itself if none is known.
  //   word  lower case, no character more than twice in a row
  std::string shortest_known(const std::string& word) const;

 private:
  double log_prob(const std::string& word, const std::string& previous) const;

  std::unordered_map<std::string, double> count_of_word_;
  std::unordered_map<std::string, double> count_of_pair_;
  double n_words_ = 0.0;  // the sum of the words' counts
};

}  // namespace labelprobe::data
