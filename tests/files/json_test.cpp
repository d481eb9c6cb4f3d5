#include "labelprobe/files/json.h"

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

const JsonSource kSource = {"x.json"};

std::string parse_message(const std::string& text) {
  return support::message_of<DataError>([&] { parse_json(text, kSource); });
}

}  // namespace

TEST_CASE("Reads every kind of value and says where each stands", "[unit]") {
  const JsonView root = parse_json(
      R"({"a": {"list": [1, {"b": "text"}]}, "half": 0.5, "yes": true, "none": null})", kSource);
  CHECK(root.at("a").at("list").items()[0].integer(0, 1) == 1);
  CHECK(root.at("a").at("list").items()[1].at("b").string() == "text");
  CHECK(root.at("half").number() == 0.5);
  CHECK(root.at("yes").boolean());
  CHECK(root.boolean_or("absent", true));
  CHECK(root.find("absent").is_null());
  CHECK_FALSE(root.has("none"));
  CHECK(root.place() == "x.json");
  CHECK(root.at("a").at("list").items()[1].at("b").place() == "x.json: key 'a.list[1].b'");
  CHECK(root.members().size() == 4);
  CHECK(root.members()[0].first == "a");
}

TEST_CASE("A view keeps its document alive", "[unit]") {
  const JsonView text = parse_json(R"({"a": ["kept"]})", kSource).at("a").items()[0];
  CHECK(text.string() == "kept");
}

TEST_CASE("Says what is wrong with a value", "[unit]") {
  const JsonView root = parse_json(
      R"({"n": 7, "big": 18446744073709551615, "s": "x", "l": [1, [2]], "none": null})", kSource);
  const auto says = [](const auto& action, const std::string& expected) {
    CHECK(support::message_of<DataError>(action) == "x.json: " + expected);
  };
  says([&] { root.at("absent"); }, "key 'absent' is missing");
  says([&] { root.at("none"); }, "key 'none' is missing");
  says([&] { root.at("n").string(); }, "key 'n': expected a string, found 7");
  says([&] { root.at("n").integer(0, 6); }, "key 'n': expected an integer from 0 to 6, found 7");
  says([&] { root.at("big").integer(-1, 6); },
       "key 'big': expected an integer from -1 to 6, found 18446744073709551615");
  says([&] { root.at("s").number(); }, "key 's': expected a number, found \"x\"");
  says([&] { root.at("s").boolean(); }, "key 's': expected true or false, found \"x\"");
  says([&] { root.at("s").items(); }, "key 's': expected a list, found \"x\"");
  says([&] { root.at("s").members(); }, "key 's': expected an object, found \"x\"");
  says([&] { root.at("l").items()[1].find("x"); }, "key 'l[1]': expected an object, found [2]");
  says([&] { root.at("s").fail("too short"); }, "key 's': too short");
  const std::vector<std::string> known = {"left", "right"};
  CHECK_THAT(support::message_of<DataError>([&] { root.at("s").choice("side", known); }),
             ContainsSubstring("x.json: key 's': unknown side 'x' (known: left, right)"));
}

TEST_CASE("Says where a text is no JSON", "[unit]") {
  CHECK(parse_message("{\"a\": 1") ==
        "x.json: expected JSON, found an error at byte 8, the end of the text; it may be cut off");
  CHECK_THAT(parse_message("{\n\"a\": 1,\n\xFF}"),
             ContainsSubstring("x.json:3: expected JSON, found an error at byte 11"));
  CHECK(parse_message("{\"a\": {\"b\": 1, \"b\": 2}}") == "x.json: key 'b' is there twice");
  CHECK(parse_message("[1e999]") ==
        "x.json: expected JSON, found an error at byte 6: a number too large to be one");
  CHECK_THAT(parse_message(R"(["\ud83d"])"),
             ContainsSubstring("half of a surrogate pair (\\ud800 to \\udfff), which is no"));
  CHECK_THAT(parse_message(R"(["\ude00 x"])"), ContainsSubstring("half of a surrogate pair"));
  CHECK(parse_message("") != "no error");
}

TEST_CASE("Refuses to nest as deep as a stack is long", "[unit]") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(parse_message(nested(limits::kJsonDepth)) == "no error");
  CHECK(parse_message(nested(limits::kJsonDepth + 1)) ==
        "x.json: expected JSON at most 32 levels deep, found more");
  CHECK_THAT(parse_message(std::string(1'000'000, '[')), ContainsSubstring("levels deep"));
}

TEST_CASE("Keeps the order of keys where it is asked to", "[unit]") {
  const auto object = parse_json_in_order(R"({"z": 1, "a": {"y": 2, "b": 3}})", kSource);
  CHECK(object.dump() == R"({"z":1,"a":{"y":2,"b":3}})");
  CHECK_THROWS_WITH(parse_json_in_order(R"({"z": 1, "z": 2})", kSource),
                    ContainsSubstring("key 'z' is there twice"));
}

TEST_CASE("Broken files end in the error that they are opened with", "[unit]") {
  const support::TempFolder folder;
  const auto path = folder.path() / "x.json";
  std::ofstream(path) << "[1]";
  CHECK(load_json(path, ErrorKind::Data).items().size() == 1);
  CHECK_THROWS_AS(load_json_object(path, ErrorKind::Model), ModelError);
  CHECK_THROWS_WITH(load_json_object(path, ErrorKind::Model),
                    ContainsSubstring("x.json: expected a JSON object, found [1]"));
  CHECK_THROWS_AS(load_json(folder.path() / "absent", ErrorKind::Config), ConfigError);
}

TEST_CASE("Takes JSON lines one by one, from a text and from a stream", "[unit]") {
  const std::string lines = "{\"a\": 1}\r\n\n  \n[2]";
  std::vector<std::string> found;
  const auto take = [&](const JsonView& line) {
    found.push_back(line.place() + " " + line.value().dump());
  };
  for_each_json_line(lines, "x.jsonl", take);
  std::istringstream stream(lines);
  for_each_json_line(stream, "-", take);
  CHECK(found == std::vector<std::string>{"x.jsonl:1 {\"a\":1}", "x.jsonl:4 [2]", "-:1 {\"a\":1}",
                                          "-:4 [2]"});
  CHECK(
      support::message_of<DataError>(
          [&] { for_each_json_line(std::string("1\n{\n"), "x.jsonl", take); }) ==
      "x.jsonl:2: expected JSON, found an error at byte 2, the end of the text; it may be cut off");
}

}  // namespace labelprobe::files
