#include "app/commands/generate_files.h"

#include <fstream>
#include <sstream>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"
#include "support/reference.h"

namespace labelprobe::app {
namespace {

std::vector<PromptLine> read(const std::string& text) {
  std::istringstream in(text);
  return read_prompt_lines(in, "p.jsonl");
}

}  // namespace

TEST_CASE("Prompts are read from text or token ids, other keys and blank lines passed over",
          "[unit]") {
  const auto lines = read(
      "{\"id\":\"a\",\"text\":\"x\\u00e9\",\"demos\":[\"q\"]}\n\n "
      "\r\n{\"id\":\"b\",\"token_ids\":[0,"
      "2147483647]}\r\n{\"id\":\"c\",\"token_ids\":[]}");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].id == "a");
  CHECK(lines[0].text == "x\xC3\xA9");
  CHECK_FALSE(lines[0].token_ids);
  CHECK(lines[1].token_ids == TokenIds{0, 2147483647});
  CHECK(lines[2].token_ids == TokenIds{});
  CHECK(read("").empty());
}

TEST_CASE("A bad line is named with what was expected and found", "[unit]") {
  const auto [text, message] = GENERATE(table<std::string, std::string>({
      {"nonsense", "p.jsonl:2: expected JSON, found an error at byte 2"},
      {"{\"id\":\"\xFF\"}", "expected JSON, found an error at byte 8"},
      {"[1]", "p.jsonl:2: expected an object like {\"id\": \"a\""},
      {"{\"text\":\"x\"}", "key 'id' is missing"},
      {"{\"id\":7,\"text\":\"x\"}", "key 'id': expected a string, found 7"},
      {"{\"id\":\"a\"}", "expected one of text and token_ids, found neither"},
      {"{\"id\":\"a\",\"text\":\"\",\"token_ids\":[]}", "found both"},
      {"{\"id\":\"a\",\"text\":7}", "key 'text': expected a string, found 7"},
      {"{\"id\":\"a\",\"text\":null}", "expected one of text and token_ids, found neither"},
      {"{\"id\":\"a\",\"token_ids\":\"1\"}", "key 'token_ids': expected a list, found \"1\""},
      {"{\"id\":\"a\",\"token_ids\":[1,-1]}",
       "key 'token_ids[1]': expected an integer from 0 to 2147483647, found -1"},
      {"{\"id\":\"a\",\"token_ids\":[2147483648]}", "to 2147483647, found 2147483648"},
      {"{\"id\":\"a\",\"token_ids\":[1.0]}", "to 2147483647, found 1.0"},
      {"{\"id\":\"first\",\"text\":\"x\"}", "expected a new id, found 'first' as in p.jsonl:1"},
  }));
  const std::string all = "{\"id\":\"first\",\"text\":\"x\"}\n" + text + "\n";
  CHECK_THROWS_AS(read(all), DataError);
  CHECK_THROWS_WITH(read(all), ContainsSubstring("p.jsonl:2: ") && ContainsSubstring(message));
}

TEST_CASE("Deeply nested input is refused without recursion", "[unit]") {
  CHECK_THROWS_AS(read(std::string(1'000'000, '[')), DataError);
  CHECK_THROWS_AS(read(std::string(500'000, '[') + std::string(500'000, ']')), DataError);
}

TEST_CASE("Logits are written as safetensors, empty ones left out", "[unit]") {
  const support::TempFolder folder;
  const auto path = folder.path() / "l.safetensors";
  const std::vector<NamedRows> rows = {
      {"b \"quoted\"", {1.5f, -2.0f, 3.0f, 0.0f}}, {"failed", {}}, {"a", {7.0f, 8.0f}}};
  write_logits(path, rows, 2);
  const auto tensors = support::read_tensors(path);
  REQUIRE(tensors.size() == 2);
  CHECK(tensors.at("b \"quoted\"").shape == std::vector<std::int64_t>{2, 2});
  CHECK(tensors.at("b \"quoted\"").numbers == rows[0].numbers);
  CHECK(tensors.at("a").shape == std::vector<std::int64_t>{1, 2});
  CHECK(tensors.at("a").numbers == rows[2].numbers);
  CHECK_THROWS_AS(write_logits(folder.path() / "no" / "l", rows, 2), ConfigError);
}

}  // namespace labelprobe::app
