#include "labelprobe/data/cot_file.h"

#include <fstream>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::data {
namespace {

std::vector<std::pair<std::string, std::string>> load_text(const std::string& text) {
  const support::TempFolder folder;
  std::ofstream(folder.path() / "cot.csv", std::ios::binary) << text;
  return load_cots(folder.path() / "cot.csv");
}

TEST_CASE("Reads chains of thought by item id, quotes and line breaks as CSV has them", "[cot]") {
  const auto cots = load_text(
      "id,text,cot\nb__aggregate,x,\"He said \"\"no\"\",\nso anger\"\na__aggregate,y,plain\n");
  REQUIRE(cots.size() == 2);
  CHECK(cots[0] ==
        std::pair<std::string, std::string>("b__aggregate", "He said \"no\",\nso anger"));
  CHECK(cots[1] == std::pair<std::string, std::string>("a__aggregate", "plain"));
}

TEST_CASE("Names what a chain-of-thought file lacks", "[cot]") {
  CHECK_THROWS_AS(load_text("id,text\na,b\n"), DataError);
  CHECK_THROWS_AS(load_text("cot,id\na,b\n"), DataError);
  CHECK_THROWS_AS(load_text("id,cot\na,b\na,c\n"), DataError);
  CHECK_THROWS_AS(load_text("id,cot\na\n"), DataError);
  CHECK_THROWS_AS(load_text(""), DataError);
}

}  // namespace
}  // namespace labelprobe::data
