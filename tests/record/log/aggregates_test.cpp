#include "record/log/aggregates.h"

#include <cmath>
#include <fstream>
#include <limits>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::record::aggregate;
using labelprobe::record::Aggregates;
using labelprobe::record::encode_numbers;
using labelprobe::record::load_numbers;
using labelprobe::record::mean_and_interval;
using labelprobe::record::Metrics;
using labelprobe::record::Numbers;
using nlohmann::json;

namespace {

json reference() {
  return json::parse(std::ifstream(labelprobe::support::fixture("record/aggregates.json")));
}

Numbers numbers_of(const json& node) {
  return {node.at("description").get<std::string>(), node.at("metrics").get<Metrics>(),
          node.at("annotators").get<std::map<std::string, Metrics>>(),
          node.at("items").get<std::map<std::string, Metrics>>()};
}

}  // namespace

TEST_CASE("Mean and interval are those of numpy, spelled as Python spells them", "[aggregates]") {
  const json wanted = reference();
  for (const json& row : wanted.at("lists")) {
    INFO(row.dump());
    CHECK(mean_and_interval(row[0].get<std::vector<double>>()) == row[1].get<std::string>());
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(mean_and_interval(std::vector<double>{1, nan}) == "nan+-nan");
}

TEST_CASE("Aggregates over forty experiments are those of numpy", "[aggregates]") {
  const labelprobe::support::TempFolder folder;
  const fs::path file = folder.path() / "numbers.yml";
  const json wanted = reference();
  const json& experiments = wanted.at("experiments");
  {
    std::ofstream out(file, std::ios::binary);
    // The order in which experiments end leaves no trace.
    for (std::size_t i = experiments.size(); i-- > 0;) {
      out << encode_numbers(i, numbers_of(experiments[i]));
    }
  }
  const auto loaded = load_numbers(file);
  REQUIRE(loaded.size() == experiments.size());
  const Aggregates found = aggregate(loaded, {});
  CHECK(found.metrics == wanted.at("aggregated_metrics"));
  CHECK(found.indexed_metrics == wanted.at("aggregated_indexed_metrics"));
  CHECK(found.annotator_metrics == wanted.at("aggregated_annotator_metrics"));
}

TEST_CASE("Numbers keep names of any kind and what JSON cannot spell", "[aggregates]") {
  const labelprobe::support::TempFolder folder;
  const fs::path file = folder.path() / "numbers.yml";
  CHECK(load_numbers(file).empty());
  Numbers numbers;
  numbers.description = "a: 'b' \"c\" \xC2\x85 \xF0\x9F\x98\x80";
  numbers.metrics = {{"x", std::numeric_limits<double>::infinity()}, {"y", 0.1}};
  numbers.items["12\n"] = {{"n", std::nan("")}};
  std::ofstream(file, std::ios::binary) << encode_numbers(3, numbers);
  const Numbers read = load_numbers(file).at(3);
  CHECK(read.description == numbers.description);
  CHECK(read.metrics == numbers.metrics);
  CHECK(std::isnan(read.items.at("12\n").at("n")));
}

TEST_CASE("Damaged numbers are named by line", "[aggregates]") {
  const labelprobe::support::TempFolder folder;
  const fs::path file = folder.path() / "numbers.yml";
  const std::string good = encode_numbers(0, {});
  for (const std::string& damage :
       {std::string("\n"), std::string("x"), std::string("experiment_1"),
        std::string("experiment_1: {}"), std::string("experiment_-1: {}"),
        std::string("experiment_99999999999999999999999: {}"),
        std::string(R"(experiment_1: {"description":1,"metrics":{},"annotators":{},"items":{}})"),
        std::string(R"(experiment_1: {"description":"","metrics":[],"annotators":{},"items":{}})"),
        "experiment_1: " + std::string(100000, '['), good.substr(0, 30)}) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << good << damage << "\n" << good;
    INFO(damage.substr(0, 60));
    CHECK_THROWS_AS(load_numbers(file), labelprobe::DataError);
    CHECK_THROWS_WITH(load_numbers(file), ContainsSubstring("numbers.yml:2: "));
  }
}
