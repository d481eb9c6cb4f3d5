#include "prompt/jinja/program.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"

namespace labelprobe::prompt::jinja {
namespace {

Names names_of(const nlohmann::ordered_json& context) {
  Names names;
  for (const auto& [name, value] : context.items()) names.emplace_back(name, value_of_json(value));
  return names;
}

std::string render(const std::string& text, const Names& names = {}) {
  return Program(text, "template").render(names).bytes();
}

std::string refusal(const std::string& text, const Names& names = {}) {
  return support::message_of([&] { render(text, names); });
}

std::string repeated(const std::string& text, int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("Templates write what Jinja writes with the settings of transformers", "[jinja]") {
  const auto reference =
      nlohmann::ordered_json::parse(std::ifstream(support::fixture("prompt/jinja.json")));
  int n_cases = 0;
  for (const auto& one : reference["cases"]) {
    CAPTURE(one["template"].get<std::string>());
    const Names names = names_of(reference["contexts"][one["context"].get<std::string>()]);
    if (one.contains("error")) {
      CHECK_THROWS_AS(render(one["template"], names), ModelError);
    } else {
      CHECK(render(one["template"], names) == one["text"].get<std::string>());
    }
    ++n_cases;
  }
  CHECK(n_cases > 250);
}

TEST_CASE("What a template cannot do is refused by line", "[jinja]") {
  CHECK(refusal("a\n{% include 'x' %}") ==
        "template:2: statement 'include' is not supported (known: if, for, set, macro, with, "
        "filter, break, continue, generation, raw)");
  CHECK(refusal("{% if x %}\n\nno end") ==
        "template:3: expected {% endif %}, found the end of the template");
  CHECK_THAT(refusal("\n\n{{ 'a' | uppr }}"),
             ContainsSubstring("template:3: unknown filter 'uppr'; did you mean 'upper'?"));
  CHECK_THAT(refusal("{{ 1 is nun }}"), ContainsSubstring("unknown test 'nun'"));
  CHECK_THAT(refusal("{{ [1].append(2) }}"), ContainsSubstring("cannot be changed"));
  CHECK(refusal("{{ missing.name }}") == "template:1: 'missing' is undefined");
  CHECK(refusal("{% for x in 3 %}{% endfor %}") ==
        "template:1: expected a list, a mapping or a text to go through, found an integer");
  CHECK(refusal("{{ raise_exception('no systems') }}") ==
        "template:1: the template refuses this chat: no systems");
  CHECK(refusal("{% for x in [1] %}{% macro m() %}{% endmacro %}{% endfor %}") ==
        "template:1: a macro inside a loop or another macro is not supported");
  CHECK_THAT(refusal("{% for x in [1] recursive %}{% endfor %}"), ContainsSubstring("recursive"));
  CHECK_THAT(refusal("{{ f(*a) }}"), ContainsSubstring("not supported"));
  CHECK_THAT(refusal("{{ 'a' "), ContainsSubstring("the end of the template"));
  CHECK_THAT(refusal("{# a"), ContainsSubstring("expected '#}'"));
}

TEST_CASE("Numbers at the ends of their ranges stay themselves", "[jinja]") {
  CHECK(render("{{ 9223372036854775807 | int }} {{ 9007199254740993 | int }} {{ true | int }}") ==
        "9223372036854775807 9007199254740993 1");
  CHECK(render("{{ -9223372036854775807 | abs }} {{ true | abs }}") == "9223372036854775807 1");
  CHECK_THAT(refusal("{{ (-9223372036854775807 - 1) | abs }}"), ContainsSubstring("64 bits"));
  const std::string nan = "1e308 * 10 - 1e308 * 10";
  CHECK_THAT(refusal("{{ '%d' | format(" + nan + ") }}"), ContainsSubstring("expected a number"));
  CHECK(render("{{ (" + nan + ") | int }}") == "0");
  CHECK(render("{{ {" + nan + ": 1, 1: 2, 0: 3} | tojson }}").size() > 4);
}

TEST_CASE("A hostile template meets a limit that is named", "[jinja]") {
  CHECK_THAT(
      refusal("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
      ContainsSubstring("10000000 steps"));
  CHECK_THAT(refusal("{{ 'x' * 9000000000 }}"), ContainsSubstring("found more"));
  CHECK_THAT(refusal("{% set n = namespace(x='xxxxxxxx') %}{% for a in range(99) %}"
                     "{% set n.x = n.x + n.x %}{% endfor %}"),
             ContainsSubstring("512 MiB of texts"));
  CHECK_THAT(refusal("{% set n = namespace(x=[]) %}{% for a in range(99) %}"
                     "{% set n.x = [n.x, n.x] %}{% endfor %}"),
             ContainsSubstring("64 deep"));
  CHECK_THAT(refusal("{% set n = namespace(x=[]) %}{% for a in range(50) %}"
                     "{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | tojson }}"),
             ContainsSubstring("steps"));
  CHECK_THAT(refusal("{% set n = namespace(x=[]) %}{% for a in range(50) %}"
                     "{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x == n.x }}"),
             ContainsSubstring("steps"));
  CHECK_THAT(refusal("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
             ContainsSubstring("at most 64 deep"));
  CHECK_THAT(refusal("{{ range(1000000) }}"), ContainsSubstring("100000 numbers"));
  CHECK_THAT(refusal("{{ " + repeated("(", 500) + "1" + repeated(")", 500) + " }}"),
             ContainsSubstring("200 deep"));
  CHECK_THAT(refusal("{{ " + repeated("not ", 5000) + "1 }}"), ContainsSubstring("200 deep"));
  CHECK_THAT(refusal("{{ 1" + repeated(" + 1", 5000) + " }}"), ContainsSubstring("200 deep"));
  CHECK_THAT(refusal("{{ x" + repeated(".x", 5000) + " }}"), ContainsSubstring("200 deep"));
  CHECK_THAT(refusal(repeated("{% if 1 %}", 5000)), ContainsSubstring("200 deep"));
  CHECK_THAT(refusal(repeated("x", (1 << 20) + 1)), ContainsSubstring("1048576 bytes"));
  CHECK(render("{% set n = namespace() %}{% set n.n = n %}{{ n.n.n is defined }}") == "True");
}

TEST_CASE("A text knows which of its bytes a message wrote", "[jinja]") {
  const Names names = {
      {"m", Value::dict({{Value::text("content"), Value::text(Text::of_source(" a b<x>c ", 7))}})}};
  const auto origins = [&](const std::string& text) {
    return Program(text, "template").render(names).origins();
  };
  CHECK(origins("[{{ m.content }}]") == std::vector<Origin>{{1, 10, 7, 0}});
  CHECK(origins("[{{ m.content | trim }}]") == std::vector<Origin>{{1, 8, 7, 1}});
  CHECK(origins("{{ m.content.split('<x>')[1] }}") == std::vector<Origin>{{0, 2, 7, 7}});
  CHECK(origins("{{ m.content | trim ~ '' }}{{ m.content[:2] }}") ==
        std::vector<Origin>{{0, 7, 7, 1}, {7, 9, 7, 0}});
  CHECK(origins("{% set c %}<{{ m.content[1:3] }}>{% endset %}{{ c | upper }}") ==
        std::vector<Origin>{{1, 3, 7, 1}});
  CHECK(origins("{{ m.content | replace(' ', '') }}") ==
        std::vector<Origin>{{0, 1, 7, 1}, {1, 6, 7, 3}});
  CHECK(origins("{{ m | tojson }}") == std::vector<Origin>{{13, 22, 7, 0}});
  CHECK(origins("{{ m.content | list | join }}") == std::vector<Origin>{{0, 9, 7, 0}});
}

}  // namespace labelprobe::prompt::jinja
