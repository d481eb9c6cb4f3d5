#include "labelprobe/core/utf8.h"

#include <cstdint>
#include <fstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe {
namespace {

const nlohmann::json& fixture() {
  static const nlohmann::json parsed = [] {
    std::ifstream file(support::fixture("python/text.json"));
    return nlohmann::json::parse(file);
  }();
  return parsed;
}

std::string utf8(std::uint32_t code) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80u | ((code >> shift) & 0x3Fu)); };
  if (code < 0x80) {
    return {static_cast<char>(code)};
  }
  if (code < 0x800) {
    return {static_cast<char>(0xC0u | (code >> 6)), tail(0)};
  }
  if (code < 0x10000) {
    return {static_cast<char>(0xE0u | (code >> 12)), tail(6), tail(0)};
  }
  return {static_cast<char>(0xF0u | (code >> 18)), tail(12), tail(6), tail(0)};
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

TEST_CASE("Recognises well-formed UTF-8 as CPython's decoder does", "[unit]") {
  REQUIRE(fixture().at("utf8").size() > 150);
  for (const auto& [hex, is_well_formed] :
       fixture().at("utf8").get<std::vector<std::pair<std::string, bool>>>()) {
    CAPTURE(hex);
    CHECK(is_utf8(from_hex(hex)) == is_well_formed);
  }
}

TEST_CASE("Encodes every character and decodes it again", "[unit]") {
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) {
      continue;
    }
    std::string text;
    append_utf8(text, code);
    const Character read = character_at(text, 0);
    if (text != utf8(code) || read.code != code || read.n_bytes != text.size() ||
        length_at(text, 0) != text.size() || n_characters(text) != 1) {
      FAIL("U+" << std::hex << code);
    }
  }
}

TEST_CASE("Finds where characters begin", "[unit]") {
  const std::string text = "a\u20ACb";  // a, three bytes, b
  CHECK(n_characters(text) == 3);
  CHECK(character_start(text, 3) == 1);
  CHECK(character_start(text, 4) == 4);
  CHECK(character_start(text, 5) == 5);
  CHECK(next_character_start(text, 2) == 4);
  CHECK(next_character_start(text, 1) == 1);
  CHECK(next_character_start("\u20AC", 1) == 3);
  CHECK(character_at(text, 2).n_bytes == 0);
  CHECK(first_non_utf8(text) == 5);
  CHECK(first_non_utf8(text + "\x80") == 5);
}

TEST_CASE("Lowers ASCII letters and nothing else", "[unit]") {
  CHECK(ascii_lower("Anger/ÄÉ Z@[`{") == "anger/ÄÉ z@[`{");
}

TEST_CASE("Folds case and accents as Python's NFC of casefold()", "[unit]") {
  CHECK(folded("Joy") == "joy");
  CHECK(folded("ÄRGER") == "ärger");
  CHECK(folded("A\xCC\x88rger") == "ärger");  // A and a combining diaeresis
  CHECK(folded("Spaß") == "spass");
  CHECK(folded("ΣΊΣΥΦΟΣ") == "σίσυφοσ");
  CHECK(folded("\xFFX") == "\uFFFDx");
}

TEST_CASE("Finds words that stand by themselves", "[unit]") {
  constexpr std::size_t kNone = std::string_view::npos;
  CHECK(find_word("the answer is c", "c") == 14);
  CHECK(find_word("c. paris", "a") == kNone);
  CHECK(find_word("hanger, anger", "anger") == 8);
  CHECK(find_word("„ärger“", "ärger") == 3);
  CHECK(find_word("verärgert", "ärger") == kNone);
  CHECK(find_word("joy joy", "joy", 1) == 4);
  CHECK(find_word("joy2", "joy") == kNone);
  CHECK(find_word("我觉得是喜悦。", "喜悦") == 12);  // written without spaces
  CHECK(find_word("", "a") == kNone);
}

TEST_CASE("Replaces every occurrence without scanning what it inserted", "[unit]") {
  CHECK(replace_all("{a}{a} {b}", "{a}", "{a}{b}") == "{a}{b}{a}{b} {b}");
  CHECK(replace_all("aaa", "aa", "b") == "ba");
  CHECK(replace_all("", "a", "b").empty());
  CHECK(replace_all("none here", "x", "y") == "none here");
}

TEST_CASE("Bytes that are no UTF-8 become one U+FFFD per maximal part", "[unit]") {
  // What Rust's documentation and Unicode's table 3-8 give.
  CHECK(utf8_lossy("a\xF1\x80\x80\xE1\x80\xC2"
                   "b\x80"
                   "c\x80\xBF"
                   "d") ==
        "a\uFFFD\uFFFD\uFFFD"
        "b\uFFFD"
        "c\uFFFD\uFFFD"
        "d");
  CHECK(utf8_lossy("\xE2\x82") == "\uFFFD");
  CHECK(utf8_lossy("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");
  CHECK(utf8_lossy("\xE2\x82\xAC") == "\u20AC");
}

}  // namespace
}  // namespace labelprobe
