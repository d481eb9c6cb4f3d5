// Cleans texts of social networks for classifiers that read words: links, names and numbers become
// tags, hashtags and elongated words plain words, everything lower case. The steps are those of the
// preprocessing of *Large Language Models Do Multi-Label Classification Differently*, which runs
// the program ekphrasis with its settings; where a description of it and ekphrasis 0.5.4 differ,
// ekphrasis counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/cleaning/text_preprocessor_words.h"

namespace labelprobe::data {

// Where texts come from: it decides what there is to clean.
enum class TextDomain { Reddit, Twitter, Other };

class TextPreprocessor {
 public:
  // Without statistics, hashtags in lower case stay one word and elongated words keep two of each
  // character.
  explicit TextPreprocessor(TextDomain domain, std::optional<WordStatistics> statistics)
      : domain_(domain), statistics_(std::move(statistics)) {}

  // `text` must be UTF-8; one of domain Other is returned as it is. Throws DataError for a text
  // that is too long to be searched.
  std::string clean(std::string_view text) const;

 private:
  std::string hashtag_words(std::string_view body) const;
  std::string normal_word(std::string_view elongated) const;
  std::string annotate(std::string text) const;

  TextDomain domain_;
  std::optional<WordStatistics> statistics_;
};

}  // namespace labelprobe::data
