// The data of figures against numpy's numbers (scripts/fixtures/figure_reference.py).
#include "labelprobe/analysis/figures.h"

#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::analysis {
namespace {

using nlohmann::json;

json expected_figures() {
  return support::read_json(support::fixture("figures/expected.json"));
}

std::vector<NamedRuns> read_log(const std::string& name) {
  return read_all_named(std::vector{support::fixture("figures/" + name).string()}, {});
}

FigureRows make(const std::string& figure, const std::string& log) {
  return find_figure(figure).of_runs(read_log(log), {});
}

void check_near(const std::vector<double>& found, const json& wanted) {
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == Approx(wanted[i].get<double>()).epsilon(1e-12).margin(1e-12));
  }
}

std::vector<double> column(const FigureRows& rows, const std::string& name) {
  std::vector<double> numbers;
  for (const auto& row : rows) numbers.push_back(row.at(name).get<double>());
  return numbers;
}

std::string message_of_data(const std::string& figure, const std::string& log) {
  return support::message_of<DataError>([&] { make(figure, log); });
}

}  // namespace

TEST_CASE("The first and the second label's accuracy is numpy's, over seeds", "[figures]") {
  const FigureRows rows = make("label_order", "GoEmotions/listing_0");
  check_near(column(rows, "accuracy"), expected_figures()["label_order"]["mean"]);
  check_near(column(rows, "deviation"), expected_figures()["label_order"]["deviation"]);
  CHECK(rows[0]["set"] == "GoEmotions");
  CHECK(rows[0]["n_experiments"] == 2);
}

TEST_CASE("The share of answers with several labels is numpy's", "[figures]") {
  const FigureRows rows = make("multilabel_icl", "MFRC/icl_0");
  check_near(column(rows, "share"), expected_figures()["multilabel_icl"]);
  CHECK(column(rows, "ratio") == std::vector{0.0, 0.2, 0.4, 0.6, 0.8, 1.0});
  CHECK_THAT(message_of_data("multilabel_icl", "GoEmotions/listing_0"),
             ContainsSubstring("expected a run of --distribution multilabel_ICL, found the item"));
}

TEST_CASE("Sorted probabilities are numpy's; of ratios 0.4 stands for a run", "[figures]") {
  const bool is_icl = GENERATE(false, true);
  const json wanted = expected_figures()[is_icl ? "spikiness_icl" : "spikiness_listing"];
  std::map<std::size_t, std::vector<double>> found;
  for (const auto& row : make("spikiness", is_icl ? "MFRC/icl_0" : "GoEmotions/listing_0")) {
    found[row["index"].get<std::size_t>()].push_back(row["prob"].get<double>());
  }
  REQUIRE(found.size() == wanted.size());
  for (const auto& [index, probs] : found) check_near(probs, wanted[index]);
}

TEST_CASE("The share of steps at which a second label comes later", "[figures]") {
  int n = 0;
  for (const auto& row : make("later", "GoEmotions/listing_0")) {
    const int step = row["step"].get<int>();
    const std::string key =
        std::to_string(step) + " " + std::to_string(row["predicted_at"].get<int>() - step);
    CAPTURE(key);
    CHECK(row["n"] == expected_figures()["steps"]["later"][key]);
    ++n;
  }
  CHECK(n == 5);
}

TEST_CASE("Figures of steps have each number of a step once", "[figures]") {
  std::map<std::string, int> found;
  for (const auto& row : make("probabilities", "GoEmotions/listing_0")) {
    ++found[row["panel"].get<std::string>() + "/" + row["series"].get<std::string>() +
            std::to_string(row["step"].get<int>())];
  }
  for (const json& one : expected_figures()["steps"]["moments"]) {
    if (one["statistic"] != "top" || one["step"] == 4) continue;  // 4 is never an intermediate one
    const std::string place = one["place"];
    CHECK(found["top/" + place + std::to_string(one["step"].get<int>())] == one["n"]);
  }
  CHECK(found["second/same1"] == 1);
}

TEST_CASE("Metrics come from tables of align", "[figures]") {
  const support::TempFolder folder;
  const std::string path = (folder.path() / "a.json").string();
  support::write_file(path, R"({"task": "GoEmotions", "rows": [
    {"method": "Unary", "estimator": "unary", "answer": "healed", "run": "logs/x/tiny_0",
     "n_examples": 9, "nll": {"value": 3.5, "standard_error": 0.1}, "f1": {"value": 0.3},
     "l1": null},
    {"method": "Binary", "estimator": "binary", "answer": "greedy", "run": "logs/y",
     "n_examples": 9, "nll": {"value": 4.5}, "f1": null, "l1": {"value": 2.0}},
    {"method": "Base rate", "estimator": "constant", "answer": null, "run": null,
     "n_examples": 9, "nll": {"value": 2.5}}]})");
  const std::vector<NamedAlignment> tables = read_alignments(std::vector{path}, {});
  CHECK(tables.front().set == "GoEmotions");
  CHECK(tables.front().model == "tiny_0");
  const FigureRows all = find_figure("base_chat").of_alignments(tables);
  REQUIRE(all.size() == 3);
  CHECK(all[0]["method"] == "Unary (healed)");
  CHECK(all[0]["metric"] == "f1");
  CHECK(all[1]["standard_error"] == 0.1);
  std::ostringstream csv;
  write_figure_csv(csv, find_figure("binary").of_alignments(tables));
  CHECK(csv.str() ==
        "set,model,method,estimator,metric,value,standard_error,n_examples\n"
        "GoEmotions,tiny_0,Binary,binary,nll,4.5,0,9\nGoEmotions,tiny_0,Binary,binary,l1,2,0,9\n");
  support::write_file(path, "{}");
  CHECK_THAT(support::message_of<DataError>([&] { read_alignments(std::vector{path}, {}); }),
             ContainsSubstring("expected a table of labelprobe align --out FILE.json"));
}

TEST_CASE("A figure's files hold its rows and say what they were made of", "[figures]") {
  const FigureRows rows = make("later", "GoEmotions/listing_0");
  std::ostringstream out;
  write_figure_json(out, find_figure("later"), std::vector<std::string>{"logs/a_0"}, rows);
  const json read = json::parse(out.str());
  CHECK(read["rows"] == json(rows));
  CHECK(read["runs"] == json({"logs/a_0"}));
  CHECK(read["drawing"] == "later");
  CHECK_THAT(support::message_of<ConfigError>([] { find_figure("spikyness"); }),
             ContainsSubstring("did you mean 'spikiness'?"));
}

TEST_CASE("Steps to show need answers with one label and with several", "[figures]") {
  const std::vector<NamedRuns> runs = read_log("GoEmotions/listing_0");
  FigureOptions options;
  options.n_most_steps = {1, 2};
  CHECK_THAT(support::message_of<ConfigError>([&] { find_figure("top").of_runs(runs, options); }),
             ContainsSubstring("--max-rank: expected one number, or one for each of the 1 runs"));
}

}  // namespace labelprobe::analysis
