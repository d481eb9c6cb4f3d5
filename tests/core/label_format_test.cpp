#include "labelprobe/core/label_format.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe {
namespace {

TEST_CASE("Reads the named label formats", "[label_format]") {
  CHECK(LabelFormat::parse("").kind == LabelFormat::Kind::List);
  CHECK(LabelFormat::parse("default").kind == LabelFormat::Kind::List);
  CHECK(LabelFormat::parse("polysyndeton").kind == LabelFormat::Kind::Polysyndeton);
  CHECK(LabelFormat::parse("json").kind == LabelFormat::Kind::Json);
  CHECK(LabelFormat::parse("json").json_key == "label");
  CHECK(LabelFormat::parse("json-answer").kind == LabelFormat::Kind::Json);
  CHECK(LabelFormat::parse("json-answer").json_key == "answer");
  CHECK(LabelFormat::parse("json-a-b").json_key == "a-b");
  CHECK(LabelFormat::parse("json").has_escapes);
  CHECK_FALSE(LabelFormat::parse("json-unescaped").has_escapes);
  CHECK(LabelFormat::parse("json-unescaped").json_key == "label");
  CHECK(LabelFormat::parse("json-unescaped-answer").json_key == "answer");
  CHECK(LabelFormat::parse("json-unescapeds").json_key == "unescapeds");
}

TEST_CASE("Spells every label format so that it can be read again", "[label_format]") {
  for (const std::string name : {"default", "json", "json-answer", "json-unescaped",
                                 "json-unescaped-answer", "polysyndeton"}) {
    CHECK(LabelFormat::parse(name).name() == name);
  }
  CHECK(LabelFormat::parse("json-label") == LabelFormat::parse("json"));
}

TEST_CASE("Names the known label formats when it meets another", "[label_format]") {
  CHECK_THROWS_AS(LabelFormat::parse("xml"), ConfigError);
  CHECK_THROWS_AS(LabelFormat::parse("json-"), ConfigError);
  CHECK_THROWS_WITH(LabelFormat::parse("jsn"),
                    "unknown label format 'jsn'; did you mean 'json'? (known: default, json, "
                    "json-KEY, json-unescaped, json-unescaped-KEY, polysyndeton)");
}

}  // namespace
}  // namespace labelprobe
