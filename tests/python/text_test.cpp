#include "labelprobe/python/text.h"

#include <cstdint>
#include <fstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/core/utf8.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::python {
namespace {

const nlohmann::json& fixture() {
  static const nlohmann::json parsed = [] {
    std::ifstream file(support::fixture("python/text.json"));
    return nlohmann::json::parse(file);
  }();
  return parsed;
}

std::string spelled(std::uint32_t code) {
  std::string text;
  append_utf8(text, code);
  return text;
}

TEST_CASE("Strips exactly the characters that Python's str.strip strips", "[unit]") {
  const auto spaces = fixture().at("spaces").get<std::vector<std::uint32_t>>();
  std::vector<std::uint32_t> stripped_before;
  std::vector<std::uint32_t> stripped_after;
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) {
      continue;
    }
    if (strip(spelled(code) + "x") == "x") {
      stripped_before.push_back(code);
    }
    if (strip(std::string("x").append(spelled(code))) == "x") {
      stripped_after.push_back(code);
    }
  }
  CHECK(stripped_before == spaces);
  CHECK(stripped_after == spaces);
}

TEST_CASE("Strips whole texts as Python does", "[unit]") {
  REQUIRE(fixture().at("strip").size() == 60);
  for (const auto& [text, stripped] :
       fixture().at("strip").get<std::vector<std::pair<std::string, std::string>>>()) {
    CAPTURE(text);
    CHECK(strip(text) == stripped);
  }
}

TEST_CASE("Bytes that are not UTF-8 are no whitespace", "[unit]") {
  CHECK(strip("\xA0x\x85") == "\xA0x\x85");  // bare continuation bytes, spaces in Latin-1
  CHECK(strip(" \xE2\x80 ") == "\xE2\x80");  // a cut EN QUAD
  CHECK(strip("\xC0\xA0") == "\xC0\xA0");    // an overlong space
  CHECK(strip("\x80\x80\x80\x80\x80 ") == "\x80\x80\x80\x80\x80");
}

}  // namespace
}  // namespace labelprobe::python
