#include "labelprobe/files/yaml.h"

#include <cmath>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

YamlView parse(std::string_view text) {
  return parse_yaml(text, {"f.yaml", ErrorKind::Config});
}

// Whether the view reads as the value that PyYAML has for it.
bool is_same(const YamlView& view, const nlohmann::json& wanted) {
  if (wanted.is_null()) return view.is_null();
  if (wanted.is_boolean()) return view.boolean() == wanted.get<bool>();
  if (wanted.is_number_integer()) return view.integer() == wanted.get<std::int64_t>();
  if (wanted.is_number()) return view.number() == wanted.get<double>();
  if (wanted.is_string()) {
    return view.is_scalar() && !view.is_null() && !view.boolean() &&
           view.text() == wanted.get<std::string>();
  }
  if (wanted.is_array()) {
    if (!view.is_list() || view.items().size() != wanted.size()) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!is_same(view.items()[i], wanted[i])) return false;
    }
    return true;
  }
  for (const auto& [key, value] : wanted.items()) {
    const auto found = view.find(key);
    if (!found || !is_same(*found, value)) return false;
  }
  return view.is_map() && view.members().size() >= wanted.size();
}

TEST_CASE("Reads what PyYAML reads", "[yaml]") {
  const auto reference = nlohmann::json::parse(std::ifstream(support::fixture("files/yaml.json")));
  REQUIRE(reference.at("texts").size() > 700);
  for (const auto& [text, wanted] :
       reference.at("texts").get<std::vector<std::pair<std::string, nlohmann::json>>>()) {
    CAPTURE(text, wanted);
    CHECK(is_same(parse(text), wanted));
  }
}

TEST_CASE("Numbers that are none are told by their words", "[yaml]") {
  const YamlView root = parse("[.inf, -.INF, .nan, inf?, 0x1F, '', 1e-07, 9223372036854775808]");
  const std::vector<YamlView> items = root.items();
  CHECK(items[0].number() == INFINITY);
  CHECK(items[1].float32() == -INFINITY);
  CHECK(std::isnan(items[2].number().value()));
  for (const int i : {3, 4, 5}) CHECK_FALSE(items[static_cast<std::size_t>(i)].number());
  CHECK(items[6].float32() == 1e-07F);
  CHECK_FALSE(items[7].integer());
}

TEST_CASE("Says file, line, expected and found", "[yaml]") {
  const YamlView root = parse("a: 1\nb:\n- x\nc: {}\n");
  CHECK(root.find("b")->place() == "f.yaml:3");
  CHECK_THROWS_WITH(root.find("b")->text(), "f.yaml:3: expected a single value, found a list");
  CHECK_THROWS_WITH(root.find("a")->items(), "f.yaml:1: expected a list, found '1'");
  CHECK_THROWS_WITH(root.find("a")->members(), "f.yaml:1: expected a map, found '1'");
  CHECK_FALSE(root.find("d"));
  CHECK_THROWS_AS(root.fail("x"), ConfigError);
  const YamlView later = parse_yaml("a: 1\nb: 2\n", {"log", ErrorKind::Data, 10});
  CHECK(later.find("b")->place() == "log:12");
}

TEST_CASE("Refuses what is no YAML document", "[yaml]") {
  CHECK_THROWS_WITH(parse("a: [1\nb: 2\n"), ContainsSubstring("f.yaml:2: expected YAML"));
  CHECK_THROWS_WITH(parse("a: 1\n---\nb: 2\n"), ContainsSubstring("expected one document"));
  CHECK_THROWS_WITH(parse("a: *b\n"), ContainsSubstring("expected an anchor before its alias"));
  CHECK_THROWS_WITH(parse("&a [1, *a]\n"), ContainsSubstring("expected an anchor before"));
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) bomb += fmt::format("a{0}: &a{0} [*a{1}, *a{1}]\n", i, i - 1);
  CHECK_THROWS_WITH(parse(bomb), ContainsSubstring("at most 10000000 values"));
  CHECK_THROWS_WITH(parse("a: {<<: 5}\n"), ContainsSubstring("expected a map, or a list of maps"));
  CHECK_THROWS_WITH(parse("\tb: 1"), ContainsSubstring("f.yaml:1"));
  CHECK_THROWS_WITH(parse("a: \xff\n"), ContainsSubstring("f.yaml:"));
  CHECK_THROWS_WITH(parse(std::string(1000, '[')), ContainsSubstring("at most 64 levels deep"));
  const support::TempFolder folder;
  CHECK_THROWS_AS(load_yaml(folder.path(), ErrorKind::Config), ConfigError);
  CHECK_THROWS_WITH(load_yaml(folder.path() / "none", ErrorKind::Data),
                    ContainsSubstring("none: cannot be opened"));
}

}  // namespace
}  // namespace labelprobe::files
