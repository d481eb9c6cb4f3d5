#include "labelprobe/files/yaml_writer.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

using labelprobe::files::append_yaml_entries;
using labelprobe::files::JsonF32;
using labelprobe::files::yaml_string;
using nlohmann::json;

namespace {

json fixture(const std::string& name) {
  return json::parse(
      labelprobe::support::read_file(labelprobe::support::fixture("record/" + name)));
}

// The fixture's values as a document; float32s go through the float32 writer.
std::string nasty_document() {
  json values = fixture("nasty_values.json");
  JsonF32 singles = JsonF32::array();
  for (const json& number : values["float32s"]) {
    singles.push_back(number.get<float>());
  }
  values.erase("float32s");
  for (json& number : values["not_finite"]) {
    number = std::strtod(number.get<std::string>().c_str(), nullptr);
  }
  std::string text;
  append_yaml_entries(&text, values, 0);
  append_yaml_entries(&text, JsonF32{{"float32s", singles}}, 0);
  return text;
}

}  // namespace

// PyYAML's reading of the stored text is checked by scripts/fixtures/yaml_reference.py --check.
TEST_CASE("Nasty values are written as the text that PyYAML reads back", "[yaml]") {
  const std::string text = nasty_document();
  const auto stored = labelprobe::support::fixture("record/nasty_values.yml");
  if (const char* out = std::getenv("LABELPROBE_WRITE_NASTY_YAML")) {
    std::ofstream(out, std::ios::binary) << text;
  }
  CHECK(text == labelprobe::support::read_file(stored));
}

TEST_CASE("yaml-cpp reads back every nasty string, as value and as key", "[yaml]") {
  const json values = fixture("nasty_values.json");
  const YAML::Node read = YAML::Load(nasty_document());
  REQUIRE(read["strings"].size() == values["strings"].size());
  for (std::size_t i = 0; i < values["strings"].size(); ++i) {
    const auto wanted = values["strings"][i].get<std::string>();
    INFO(wanted);
    CHECK(read["strings"][i].as<std::string>() == wanted);
    CHECK(read["strings_as_keys"][wanted].as<std::size_t>() == i);
  }
  for (std::size_t i = 0; i < values["floats"].size(); ++i) {
    CHECK(read["floats"][i].as<double>() == values["floats"][i].get<double>());
  }
  for (std::size_t i = 0; i < values["float32s"].size(); ++i) {
    CHECK(std::strtof(read["float32s"][i].Scalar().c_str(), nullptr) ==
          values["float32s"][i].get<float>());
  }
  CHECK(std::isnan(read["not_finite"][0].as<double>()));
  CHECK(read["not_finite"][2].as<double>() == -std::numeric_limits<double>::infinity());
  CHECK(read["others"]["pairs"][1][0].as<std::string>() == "b");
  CHECK(read["others"][std::string(300, 'k')]["nested"][1]["deep"].as<std::string>() == "x");
  CHECK(read["others"]["none"].IsNull());
}

TEST_CASE("Text that is not UTF-8 is not written", "[yaml]") {
  CHECK_THROWS_AS(yaml_string("\xC3"), labelprobe::InternalError);
  CHECK_THROWS_AS(yaml_string("\xED\xA0\x80"), labelprobe::InternalError);
}
