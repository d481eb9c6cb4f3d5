#include "experiment/prepare/content_free.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/python/random.h"

namespace labelprobe::experiment {

namespace {

// Runs of what is no ASCII white space.
void append_words(const std::string& text, std::vector<std::string>& words) {
  constexpr const char* kSpace = " \t\n\r\f\v";
  for (std::size_t begin = text.find_first_not_of(kSpace); begin != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kSpace, end);
  }
}

}  // namespace

std::vector<Example> make_content_free(const ContentFreeTexts& texts,
                                       std::span<const Example> examples,
                                       LabelKind kind,
                                       std::int64_t seed) {
  LABELPROBE_CHECK(!examples.empty());
  std::vector<std::string> all = texts.texts;
  std::vector<std::string> words;
  for (const Example& example : examples) append_words(example.text, words);
  if (texts.n_of_words > 0 && words.empty()) {
    throw DataError("content-free texts of random words: the examples have no words");
  }
  const double mean = static_cast<double>(words.size()) / static_cast<double>(examples.size());
  const auto n_words = std::max(1L, std::lround(mean));
  python::Random random(seed);
  for (int i = 0; i < texts.n_of_words; ++i) {
    std::string text;
    for (long w = 0; w < n_words; ++w) {
      text += (w > 0 ? " " : "") + random.choice(std::span<const std::string>(words));
    }
    all.push_back(std::move(text));
  }
  std::vector<Example> made;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Example& example = made.emplace_back();
    example.example_id = "content_free_" + std::to_string(i + 1);
    example.annotator = kAggregate;
    example.text = std::move(all[i]);
    if (kind == LabelKind::SingleLabel) example.labels = {0};
  }
  return made;
}

}  // namespace labelprobe::experiment
