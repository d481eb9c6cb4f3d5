#include "labelprobe/core/text.h"

#include <algorithm>
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
    std::ifstream file(support::fixture("core/text.json"));
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

TEST_CASE("Strips exactly the characters that Python's str.strip strips", "[text]") {
  const auto spaces = fixture().at("spaces").get<std::vector<std::uint32_t>>();
  std::vector<std::uint32_t> stripped_before;
  std::vector<std::uint32_t> stripped_after;
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) {
      continue;
    }
    if (strip(utf8(code) + "x") == "x") {
      stripped_before.push_back(code);
    }
    if (strip(std::string("x").append(utf8(code))) == "x") {
      stripped_after.push_back(code);
    }
  }
  CHECK(stripped_before == spaces);
  CHECK(stripped_after == spaces);
}

TEST_CASE("Strips whole texts as Python does", "[text]") {
  REQUIRE(fixture().at("strip").size() == 60);
  for (const auto& [text, stripped] :
       fixture().at("strip").get<std::vector<std::pair<std::string, std::string>>>()) {
    CAPTURE(text);
    CHECK(strip(text) == stripped);
  }
}

TEST_CASE("Bytes that are not UTF-8 are no whitespace", "[text]") {
  CHECK(strip("\xA0x\x85") == "\xA0x\x85");  // bare continuation bytes, spaces in Latin-1
  CHECK(strip(" \xE2\x80 ") == "\xE2\x80");  // a cut EN QUAD
  CHECK(strip("\xC0\xA0") == "\xC0\xA0");    // an overlong space
  CHECK(strip("\x80\x80\x80\x80\x80 ") == "\x80\x80\x80\x80\x80");
}

TEST_CASE("Recognises well-formed UTF-8 as CPython's decoder does", "[text]") {
  REQUIRE(fixture().at("utf8").size() > 150);
  for (const auto& [hex, is_well_formed] :
       fixture().at("utf8").get<std::vector<std::pair<std::string, bool>>>()) {
    CAPTURE(hex);
    CHECK(is_utf8(from_hex(hex)) == is_well_formed);
  }
}

TEST_CASE("Lowers ASCII letters and nothing else", "[text]") {
  CHECK(ascii_lower("Anger/ÄÉ Z@[`{") == "anger/ÄÉ z@[`{");
}

TEST_CASE("Replaces every occurrence without scanning what it inserted", "[text]") {
  CHECK(replace_all("{a}{a} {b}", "{a}", "{a}{b}") == "{a}{b}{a}{b} {b}");
  CHECK(replace_all("aaa", "aa", "b") == "ba");
  CHECK(replace_all("", "a", "b").empty());
  CHECK(replace_all("none here", "x", "y") == "none here");
}

}  // namespace
}  // namespace labelprobe
