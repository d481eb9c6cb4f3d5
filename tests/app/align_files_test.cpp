// The files that `labelprobe align` and `labelprobe distributions` write.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "app/align_logs.h"
#include "support/catch.h"

namespace labelprobe {
namespace {

// The fields of a line of CSV without quotes.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) {
    fields.push_back(field);
  }
  return fields;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST_CASE("Writes the table in the format of the file's ending", "[e2e]") {
  const TempFolder folder;
  const Arguments align =
      joined({"align", "GoEmotions", kUnary, "--bootstrap", "50", "--paper", "table1"}, kData);
  const auto written = [&](const std::string& name) {
    const std::string path = (folder.path() / name).string();
    const ProgramResult result = run_program(joined(align, {"--out", path}));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(result.out.empty());
    return lines_of(read_file(path));
  };
  const json wanted = expected()["GoEmotions"]["rows"]["unary greedy"];

  SECTION("CSV keeps every digit") {
    const auto lines = written("table.csv");
    REQUIRE(lines.size() == 3);  // unary and the base rate
    const auto header = fields_of(lines[0]);
    REQUIRE(header[6] == "nll");
    REQUIRE(header[14] == "n_items");
    // The run's field is quoted, for its name has a comma.
    CHECK_THAT(lines[1], ContainsSubstring(",\"" + kUnary + ", experiment 0\","));
    const auto row = fields_of(lines[1]);
    CHECK(std::abs(std::stod(row[7]) - wanted["nll"]["value"].get<double>()) < 1e-6);
    CHECK(row[7].size() > 10);
  }
  SECTION("Markdown has one width of rows and a paper's cell beside each") {
    const auto lines = written("table.md");
    CHECK(lines[2].starts_with("| method | answer | NLL | paper | L1 | paper | F1 | paper |"));
    char cells[64];
    std::snprintf(cells, sizeof cells, "| Unary | greedy | %.2f \u00B1 %.2f | 3.60 |",
                  wanted["nll"]["value"].get<double>(),
                  wanted["nll"]["standard_error"].get<double>());
    CHECK(lines[4].starts_with(cells));
    for (const std::size_t line : {3, 4, 5}) {
      CHECK(std::count(lines[line].begin(), lines[line].end(), '|') ==
            std::count(lines[2].begin(), lines[2].end(), '|'));
    }
  }
  SECTION("LaTeX has as many cells in each row and nothing unescaped") {
    std::ptrdiff_t n_cells = -1;
    for (const std::string& line : written("table.tex")) {
      CAPTURE(line);
      if (line.starts_with("\\begin")) {
        n_cells = -1;
      }
      if (line.starts_with("%") || !line.ends_with("\\\\")) {
        continue;
      }
      const auto n = std::count(line.begin(), line.end(), '&');
      CHECK((n_cells == -1 || n == n_cells));
      n_cells = n;
      for (std::size_t at = 0; at < line.size(); ++at) {
        const bool is_special = std::string("_%#").find(line[at]) != std::string::npos;
        CHECK((!is_special || (at > 0 && line[at - 1] == '\\')));
      }
    }
    CHECK(n_cells == 5);  // of the differences, which come last
  }
  SECTION("The terminal's columns stand under each other") {
    const auto lines = written("table.txt");
    std::string row = lines[3];
    for (std::size_t at = row.find("\u00B1"); at != std::string::npos; at = row.find("\u00B1")) {
      row.replace(at, 2, "+");  // one column, two bytes
    }
    const std::size_t end = lines[2].find(" items") + 6;
    CHECK(row.substr(end - 3, 3) == " 64");
  }
}

TEST_CASE("Writes distributions and votes for other programs", "[e2e]") {
  const TempFolder folder;
  const auto path = [&](const std::string& name) { return (folder.path() / name).string(); };
  const json& reference = expected()["GoEmotions"];
  const Arguments base = joined({"distributions", "GoEmotions", kUnary, kBinary}, kData);

  REQUIRE(run_program(joined(base, {"--out", path("d.jsonl"), "--answer", "first", "--estimator",
                                    "unary", "--votes", path("v.jsonl")}))
              .exit_code == 0);
  const auto lines = lines_of(read_file(path("d.jsonl")));
  CHECK(lines.size() == 8);
  for (const std::string& line : lines) {
    const json item = json::parse(line);
    CHECK(item["estimator"] == "unary");
    CHECK(item["answer"] == "first");
    const json& wanted = reference["probs"]["unary first"][item["id"].get<std::string>()];
    for (std::size_t i = 0; i < reference["labels"].size(); ++i) {
      const double prob = item["probs"][reference["labels"][i].get<std::string>()];
      CHECK(std::abs(prob - wanted[i].get<double>()) < 1e-9);
    }
  }
  std::size_t n_compared = 0;
  // The same numbers under the same names in every form.
  const json item = json::parse(lines.at(0));
  CHECK(item["estimator"] == "unary");
  CHECK(item["method"] == "Unary");
  const ProgramResult piped =
      run_program(joined(base, {"--out", "-", "--answer", "first", "--estimator", "unary"}));
  CHECK(piped.out == read_file(path("d.jsonl")));
  REQUIRE(run_program(
              joined(base, {"--out", path("d.csv"), "--answer", "first", "--estimator", "unary"}))
              .exit_code == 0);
  const auto rows = lines_of(read_file(path("d.csv")));
  CHECK(rows.at(0) == "id,estimator,method,answer,run,experiment,label,prob");
  CHECK(rows.size() == 1 + lines.size() * item["probs"].size());
  CHECK(rows.at(1).starts_with(item["id"].get<std::string>() + ",unary,Unary,first,"));

  for (const std::string& line : lines_of(read_file(path("v.jsonl")))) {
    const json votes = json::parse(line);
    const auto wanted = reference["votes"].find(votes["id"].get<std::string>());
    if (wanted == reference["votes"].end()) {
      continue;  // all of the split are written
    }
    ++n_compared;
    CHECK(votes["gold"] == (*wanted)["gold"]);
    CHECK(votes["n_annotators"] == (*wanted)["n_annotators"]);
    for (std::size_t i = 0; i < reference["labels"].size(); ++i) {
      const double share = votes["shares"][reference["labels"][i].get<std::string>()];
      CHECK(std::abs(share - (*wanted)["shares"][i].get<double>()) < 1e-12);
    }
  }
  CHECK(n_compared == 8);

  REQUIRE(run_program(joined(base, {"--out", path("d.yml")})).exit_code == 0);
  const std::string yaml = read_file(path("d.yml"));
  for (const char* estimator : {"\"unary\":\n", "\"binary\":\n", "\"binary_outcome\":\n"}) {
    CHECK_THAT(yaml, ContainsSubstring(estimator));
  }
  char line[64];
  const auto first = reference["probs"]["binary greedy"].begin();
  std::snprintf(line, sizeof line, "    \"%s\": %.6f",
                reference["labels"][0].get<std::string>().c_str(),
                std::floor(first.value()[0].get<double>() * 1e6) / 1e6);
  CHECK_THAT(yaml, ContainsSubstring("  \"" + first.key() + "\":\n" + line));
}

}  // namespace
}  // namespace labelprobe
