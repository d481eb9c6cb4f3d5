#include "data/cleaning/text_preprocessor.h"

#include <fstream>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::data {

namespace {

std::filesystem::path words_folder() {
  return support::fixture("data/preprocess/words");
}

TextPreprocessor twitter() {
  return TextPreprocessor(TextDomain::Twitter, WordStatistics(words_folder()));
}

void write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace

TEST_CASE("Cleans texts as ekphrasis does", "[data][golden]") {
  std::ifstream file(support::fixture("data/preprocess/cleaned.json"));
  const nlohmann::json reference = nlohmann::json::parse(file);
  const TextPreprocessor tweets = twitter();
  const TextPreprocessor comments(TextDomain::Reddit, WordStatistics(words_folder()));
  REQUIRE(reference.at("texts").size() > 200);
  for (const nlohmann::json& row : reference.at("texts")) {
    const auto text = row.at("text").get<std::string>();
    const TextPreprocessor& preprocessor = row.at("domain") == "reddit" ? comments : tweets;
    INFO(text);
    CHECK(preprocessor.clean(text) == row.at("cleaned").get<std::string>());
  }
}

TEST_CASE("Cleans the example of the description", "[data]") {
  REQUIRE(twitter().clean("@bob sooo COOL!!! #ilovecats") == "user so cool ! # i-love-cats");
}

TEST_CASE("Without word statistics hashtags stay one word", "[data]") {
  const TextPreprocessor preprocessor(TextDomain::Twitter, std::nullopt);
  REQUIRE(preprocessor.clean("sooo #ilovecats #ILoveCats") == "soo # ilovecats # i-love-cats");
}

TEST_CASE("Texts of no domain stay as they are", "[data]") {
  const TextPreprocessor preprocessor(TextDomain::Other, std::nullopt);
  REQUIRE(preprocessor.clean("@bob  sooo &amp; COOL") == "@bob  sooo &amp; COOL");
}

TEST_CASE("Takes texts made to be slow or to overflow", "[data]") {
  const TextPreprocessor preprocessor = twitter();
  for (const std::string unit :
       {"a", "A ", "*", "#a", "@", "a*", "(", "aa", "1.", "&", "<", "a.b@"}) {
    std::string text;
    while (text.size() < 10000) {
      text += unit;
    }
    INFO(unit);
    REQUIRE_NOTHROW(preprocessor.clean(text));
  }
  REQUIRE(preprocessor.clean("#" + std::string(3000, 'a')).find("# aa") == 0);
  REQUIRE(preprocessor.clean("") == "");
  REQUIRE(preprocessor.clean("a &amp#99999999999999999999;").find("a &") == 0);
}

TEST_CASE("Word counts that are not of their form are refused with their line", "[data]") {
  const support::TempFolder folder;
  const auto expect = [&](const std::string& content, const std::string& message) {
    write(folder.path() / "counts_1grams.txt", content);
    write(folder.path() / "counts_2grams.txt", "a\tb\t1\n");
    INFO(message);
    REQUIRE_THROWS_AS(WordStatistics(folder.path()), DataError);
    REQUIRE_THROWS_WITH(WordStatistics(folder.path()), ContainsSubstring(message));
  };
  expect("a\t1\nb 2\n",
         "counts_1grams.txt:2: expected a word, a tab and a count above 0, found 'b");
  expect("a\t-1\n", "counts_1grams.txt:1: expected a word");
  expect("a\t99999999999999999999999\n", "counts_1grams.txt:1: expected a word");
  expect("\t1\n", "counts_1grams.txt:1: expected a word");
  expect("", "counts_1grams.txt");
  expect("a\t1\n\xff\t1\n", "counts_1grams.txt:2");
}

TEST_CASE("A set of Reddit comments is cleaned, and says that statistics lack", "[data]") {
  DatasetOptions options;
  options.root_dir = support::fixture("data/mfrc");
  options.splits = {"train"};
  const Dataset raw = load("MFRC", options);
  options.text_preprocessor = true;
  const Dataset cleaned = load("MFRC", options);
  REQUIRE(cleaned.examples.size() == raw.examples.size());
  const TextPreprocessor preprocessor(TextDomain::Reddit, std::nullopt);
  REQUIRE(cleaned.examples[0].text == preprocessor.clean(raw.examples[0].text));
  REQUIRE_THAT(cleaned.notes.warnings.back(),
               ContainsSubstring("text_preprocessor has no word_statistics"));
  options.word_statistics = words_folder();
  REQUIRE(load("MFRC", options).notes.warnings.size() == raw.notes.warnings.size());
}

}  // namespace labelprobe::data
