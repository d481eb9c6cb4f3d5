// `labelprobe compare` from logs to tables and files; reference numbers from numpy and pandas
// (scripts/fixtures/comparison_logs.py).
#include <cmath>
#include <filesystem>
#include <sstream>

#include <nlohmann/json.hpp>

#include "app/e2e_run.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using nlohmann::json;
using support::fixture;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::TempFolder;
using support::write_file;

namespace fs = std::filesystem;

std::string log_of(const std::string& name) {
  return fixture("compare/" + name).string();
}

const std::string kF32 = log_of("baseline/f32_0");
const std::string kFp4 = log_of("baseline/fp4_0");

json expected() {
  return json::parse(read_file(fixture("compare/expected.json")));
}

// Every value that `wanted` has; numbers within the rounding of sums.
void check_same(const json& found, const json& wanted, const std::string& place) {
  INFO(place);
  if (wanted.is_object()) {
    for (const auto& [name, value] : wanted.items()) {
      REQUIRE(found.contains(name));
      check_same(found[name], value, place + "." + name);
    }
  } else if (wanted.is_array()) {
    REQUIRE(found.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      check_same(found[i], wanted[i], place + "[" + std::to_string(i) + "]");
    }
  } else if (wanted.is_number_float()) {
    REQUIRE(found.is_number());
    const double difference = std::abs(found.get<double>() - wanted.get<double>());
    CAPTURE(found, wanted, difference);
    CHECK(difference < 1e-12);
  } else {
    CAPTURE(found, wanted);
    CHECK(found == wanted);
  }
}

json by_item(const json& flips) {
  json sorted = json::object();
  for (const json& flip : flips) {
    sorted[flip["item"].get<std::string>()] = flip;
  }
  return sorted;
}

void check_rows(const fs::path& csv, const json& wanted) {
  std::istringstream lines(read_file(csv));
  std::string line;
  REQUIRE(std::getline(lines, line));
  CHECK(line == "item,step,label,prob_a,prob_b,difference,logprob_difference,same_prefix");
  for (const json& row : wanted) {
    REQUIRE(std::getline(lines, line));
    std::istringstream fields(line);
    std::vector<std::string> found;
    for (std::string field; std::getline(fields, field, ',');) {
      found.push_back(field);
    }
    CAPTURE(line, row);
    REQUIRE(found.size() == 8);
    CHECK(found[0] == row[0]);
    CHECK(found[1] == row[1]);
    CHECK(found[2] == row[2]);
    CHECK(std::stod(found[3]) == row[3].get<double>());
    CHECK(std::stod(found[4]) == row[4].get<double>());
    CHECK(std::abs(std::stod(found[5]) - (row[4].get<double>() - row[3].get<double>())) < 1e-12);
    CHECK(found[7] == (row[5].get<bool>() ? "true" : "false"));
  }
  CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("Every number of a comparison is numpy's and pandas'", "[e2e]") {
  const std::string kind = GENERATE("baseline", "unary", "classify", "verbalized");
  CAPTURE(kind);
  const TempFolder folder;
  const fs::path csv = folder.path() / "c.csv";
  const fs::path out = folder.path() / "c.json";
  const ProgramResult result =
      run_program({"compare", log_of(kind + "/f32_0"), log_of(kind + "/fp4_0"), "--csv",
                   csv.string(), "--json", out.string()});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  json found = json::parse(read_file(out));
  json wanted = expected()[kind];
  check_rows(csv, wanted["rows"]);
  CHECK(std::abs(found["largest"]["difference"].get<double>() -
                 wanted["largest_difference"].get<double>()) < 1e-12);
  wanted.erase("rows");
  wanted.erase("largest_difference");
  CHECK(found["flips"].size() == wanted["flips"].size());
  found["flips"] = by_item(found["flips"]);
  check_same(found, wanted, kind);
}

TEST_CASE("A comparison is told to people", "[e2e]") {
  const ProgramResult result = run_program({"compare", kF32, kFp4 + "/", "--top", "3"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  INFO(result.out);
  CHECK_THAT(result.out, ContainsSubstring("fp4_0, experiment 0\n"));
  CHECK_THAT(result.out, ContainsSubstring("load_in_4bit  false  true\n"));
  CHECK_THAT(result.out, ContainsSubstring("quant         -      fp4\n"));
  CHECK_THAT(result.out, !ContainsSubstring("log_root"));  // where logs go is no setting of a run
  CHECK_THAT(result.out, !ContainsSubstring("tf32"));      // off, and unknown to the other run
  CHECK_THAT(result.out, !ContainsSubstring("shot"));
  CHECK_THAT(result.out, ContainsSubstring("Items: 7 compared, 1 only in A, 1 only in B, failed 0 "
                                           "in A and 1 in B"));
  CHECK_THAT(result.out, ContainsSubstring("predicted labels       5 of 7"));
  CHECK_THAT(result.out, ContainsSubstring("likeliest first label  2 of 6"));
  CHECK_THAT(result.out,
             ContainsSubstring("generated answer       6 of 7 (1 of them agree until one of"));
  CHECK_THAT(result.out, ContainsSubstring("first differing token  1 (2 items), 2 (2 items)"));
  CHECK_THAT(result.out, ContainsSubstring("The 3 items that differ most"));
}

TEST_CASE("A limit that is passed ends with 1 and names the item", "[e2e]") {
  const ProgramResult whole = run_program({"compare", kF32, kFp4, "--max-difference", "1e-5"});
  CHECK(whole.exit_code == 1);
  CHECK_THAT(whole.err, ContainsSubstring("probabilities differ by more than 1e-05 in 2 items; "
                                          "most: item 'x2', step 2, sadness: 0.025"));
  CHECK_THAT(whole.err, ContainsSubstring("only in A: 1 item, the first 'x7'"));
  CHECK_THAT(whole.err, ContainsSubstring("only in B: 1 item, the first 'x8'"));
  CHECK_THAT(whole.err, ContainsSubstring("failed in B: 1 item, the first 'x5'"));

  const std::string a = log_of("unary/f32_0");
  const std::string b = log_of("unary/fp4_0");
  CHECK(run_program({"compare", a, b, "--max-difference", "0.001"}).exit_code == 0);
  CHECK(run_program({"compare", a, b, "--max-difference", "0.0004"}).exit_code == 1);
}

TEST_CASE("Numbers that answers state are compared as probabilities are", "[e2e]") {
  const TempFolder folder;
  const fs::path plot = folder.path() / "p.svg";
  const ProgramResult result =
      run_program({"compare", log_of("verbalized/f32_0"), log_of("verbalized/fp4_0"), "--plot",
                   plot.string(), "--max-difference", "0.001"});
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.out, ContainsSubstring("numbers of labels: 5 stated only in A, 0 stated only"));
  CHECK_THAT(result.out, ContainsSubstring("\nreported  "));
  CHECK_THAT(result.out, ContainsSubstring("\nexpected  "));
  CHECK_THAT(result.err, ContainsSubstring("item 'v1', step reported, none: "));
  CHECK_THAT(result.err, ContainsSubstring("number stated only in A: 2 items, the first 'v2'"));
  CHECK_THAT(read_file(plot), ContainsSubstring("11 probabilities of 4 items"));
}

TEST_CASE("The plot shows every label", "[e2e]") {
  const TempFolder folder;
  const fs::path plot = folder.path() / "p.svg";
  REQUIRE(run_program({"compare", kF32, kFp4, "--plot", plot.string()}).exit_code == 0);
  const std::string svg = read_file(plot);
  for (const char* label : {"anger", "joy", "none", "sadness", "equal"}) {
    CHECK_THAT(svg, ContainsSubstring(">" + std::string(label) + "</text>"));
  }
  CHECK_THAT(svg, ContainsSubstring("28 probabilities of 7 items"));
}

TEST_CASE("Runs with and without shared prefixes lie in one folder and agree", "[e2e]") {
  const TempFolder folder;
  const ProgramResult shared = run_program(support::run_arguments(folder.path()));
  INFO(shared.err);
  REQUIRE(shared.exit_code == 0);
  const ProgramResult alone =
      run_program(support::run_arguments(folder.path(), {"--no-share-prefixes", "--again"}));
  REQUIRE(alone.exit_code == 0);
  const std::string run = (folder.path() / "GoEmotions" / "e2e_0").string();
  const ProgramResult result =
      run_program({"compare", run + "/experiment_0", run, "--max-difference", "0"});
  INFO(result.out << result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("no_share_prefixes  false  true\n"));
  CHECK_THAT(result.out, ContainsSubstring("predicted labels       0 of "));

  const ProgramResult same = run_program({"compare", run, run + "/experiment_1"});
  CHECK(same.exit_code == 2);
  CHECK_THAT(same.err, ContainsSubstring("expected two runs, found twice"));
  const ProgramResult none = run_program({"compare", run, run + "/experiment_7"});
  CHECK(none.exit_code == 2);
  CHECK_THAT(none.err, ContainsSubstring("no experiment 7 (there are: 0, 1)"));

  write_file(fs::path(run) / "manifest.json", "{}");
  const ProgramResult damaged = run_program({"compare", run, run + "/experiment_0"});
  CHECK(damaged.exit_code == 3);
  CHECK_THAT(damaged.err, ContainsSubstring("manifest.json"));
}

TEST_CASE("Runs that cannot be compared say why", "[e2e]") {
  const auto fails = [](const std::vector<std::string>& arguments, int exit_code,
                        const std::string& message) {
    const ProgramResult result = run_program(arguments);
    CHECK(result.exit_code == exit_code);
    CHECK_THAT(result.err, ContainsSubstring(message));
  };
  fails({"compare", kF32, log_of("unary/f32_0")}, 3,
        "expected two runs of one distribution, found baseline items in ");
  fails({"compare", log_of("verbalized/f32_0"), kF32}, 3,
        "expected two runs of one distribution, found verbalized items in ");
  fails({"compare", kF32, log_of("baseline")}, 3, "runs below it: ");
  fails({"compare", kF32, kF32 + "x"}, 3, "did you mean");
  fails({"compare", kF32, fixture("align/logs/GoEmotions/small/baseline/tiny--model_0").string()},
        3, "expected the same labels in both runs; only in ");
  fails({"compare", kF32, kFp4, "--csv", "/no/such/folder/c.csv"}, 2, "cannot be written");
  fails({"compare", kF32, kFp4, "--max-difference", "-1"}, 2, "at least 0");

  const TempFolder folder;
  write_file(folder.path() / "indexed_metrics.yml", "experiment_0:\n  x0:\n    test_scores: [3\n");
  fails({"compare", kF32, folder.path().string()}, 3, "indexed_metrics.yml:");
}

}  // namespace
}  // namespace labelprobe
