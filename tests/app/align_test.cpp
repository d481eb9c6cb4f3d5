// `labelprobe align` and `labelprobe distributions` from logs to tables; reference numbers from
// numpy and scipy (scripts/fixtures/alignment_logs.py).
#include <cmath>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "app/align_logs.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

json align_json(const Arguments& arguments) {
  const ProgramResult result =
      run_program(joined(joined({"align"}, arguments), {"--format", "json"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return json::parse(result.out);
}

// The key of a row in the reference: "unary greedy", "baseline Platt".
std::string key_of(const json& row) {
  std::string key = row["estimator"].get<std::string>();
  key += row["answer"].is_null() ? "" : " " + row["answer"].get<std::string>();
  return key + (row["platt"].is_null() ? "" : " Platt");
}

// Every number that `wanted` has.
void check_numbers(const json& found, const json& wanted, const std::string& place) {
  for (const auto& [name, number] : wanted.items()) {
    const std::string here = place + "." + name;
    INFO(here);
    REQUIRE(found.contains(name));
    if (number.is_object()) {
      check_numbers(found[name], number, here);
    } else {
      REQUIRE(found[name].is_number());
      const double difference = std::abs(found[name].get<double>() - number.get<double>());
      CAPTURE(found[name], number, difference);
      CHECK(difference < 1e-6);
    }
  }
}

TEST_CASE("Every number of an alignment is numpy's and scipy's", "[e2e]") {
  const json table = align_json(joined(
      {"GoEmotions", kBaseline, kUnary, kBinary, "--sft", log_folder("GoEmotions/SFT-tiny_0"),
       "--scores", "Mine=" + fixture("align/scores.yml").string(), "--answer", "greedy", "first",
       "--platt", log_folder("GoEmotions/fit/baseline/tiny--model_0"),
       log_folder("GoEmotions/fit/binary/tiny--model_0"), "--platt-splits", "test"},
      kData));
  json rows = table["rows"];
  const json healed = align_json(joined({"GoEmotions", kUnary, "--answer", "healed"}, kData));
  for (const json& row : healed["rows"]) {
    if (row["answer"] == "healed") {
      rows.push_back(row);
    }
  }
  json wanted = expected()["GoEmotions"]["rows"];
  wanted.erase("constant train");
  CHECK(table["task"] == "GoEmotions");
  CHECK(table["n_examples_with_votes"] == 8);
  for (const json& row : rows) {
    const std::string key = key_of(row);
    CAPTURE(key);
    REQUIRE(wanted.contains(key));
    check_numbers(row, wanted[key], key);
    wanted.erase(key);
  }
  CHECK(wanted == json::object());

  const std::string warnings = table["warnings"].dump();
  CHECK_THAT(warnings, ContainsSubstring("1 of 8 items failed"));
  CHECK_THAT(warnings, ContainsSubstring("1 of 7 answers have no label step"));
  CHECK_THAT(warnings, ContainsSubstring("1 of 64 answers never came"));
  CHECK_THAT(warnings, ContainsSubstring("1 of 112 pairs are missing"));
  CHECK_THAT(warnings, ContainsSubstring("1 of 9 examples are not in the test splits"));
  CHECK_THAT(warnings, ContainsSubstring("'unknown'"));
  CHECK_THAT(warnings, ContainsSubstring("the rows rest on different examples"));
}

TEST_CASE("Single-label sets have their own rules and rows that do not apply", "[e2e]") {
  const json table = align_json(
      {"Hatexplain", log_folder("Hatexplain/baseline_0"), log_folder("Hatexplain/unary_0"),
       log_folder("Hatexplain/binary_0"), "--root-dir", fixture("data/hatexplain").string(),
       "--test-splits", "train", "dev", "test", "--paper", "table1"});
  const json wanted = expected()["Hatexplain"]["rows"];
  std::set<std::string> seen;
  for (const json& row : table["rows"]) {
    if (wanted.contains(key_of(row))) {
      seen.insert(key_of(row));
      check_numbers(row, wanted[key_of(row)], key_of(row));
    }
    if (row["estimator"] == "max") {
      CHECK(row["nll"].is_null());
      CHECK(row["published"] == "N/A");
      seen.insert("max");
    }
    if (row["estimator"] == "unary") {
      CHECK(row["published"] == json{{"nll", 0.91}, {"l1", 0.94}, {"f1", 0.47}});
    }
  }
  CHECK(seen.size() == wanted.size() + 1);
  CHECK_THAT(table["warnings"].dump(),
             ContainsSubstring("1 of 5 examples have no annotator's vote"));
}

TEST_CASE("The base rate is the train split's where one is given", "[e2e]") {
  const json rows =
      align_json(joined({"GoEmotions", kUnary, "--train-splits", "train"}, kData))["rows"];
  CHECK(rows.back()["method"] == "Base rate");
  CHECK_THAT(rows.back()["note"].get<std::string>(), ContainsSubstring("examples of train"));
  check_numbers(rows.back(), expected()["GoEmotions"]["rows"]["constant train"], "train");
}

TEST_CASE("Differences have the intervals of Python's generator and numpy's quantiles", "[e2e]") {
  for (const std::string against : {"1", "Compare-to-None", "baseline"}) {
    CAPTURE(against);
    const json table = align_json(joined({"GoEmotions", kBaseline, kUnary, "--bootstrap", "200",
                                          "--seed", "7", "--level", "0.9", "--against", against},
                                         kData));
    const json& rows = table["rows"];
    REQUIRE(table["differences"].size() == rows.size() - 1);
    for (const json& entry : table["differences"]) {
      if (rows[entry["row"].get<std::size_t>()]["estimator"] == "unary") {
        check_numbers(entry, expected()["GoEmotions"]["difference"], "unary - baseline");
      }
    }
  }
}

TEST_CASE("Each row is followed by its labels where they are asked for", "[e2e]") {
  const Arguments arguments = joined({"GoEmotions", kUnary, "--per-label"}, kData);
  const json table = align_json(arguments);
  const json& labels = table["rows"][0]["labels"];
  REQUIRE(labels.size() == table["n_labels"]);
  double nll = 0.0;
  for (const json& label : labels) {
    CHECK(label["n_examples"] == 8);
    CHECK(label["prevalence"]["value"].is_number());
    nll += label["nll"]["value"].get<double>();
  }
  CHECK(std::abs(nll - table["rows"][0]["nll"]["value"].get<double>()) < 1e-9);

  const ProgramResult terminal = run_program(joined({"align"}, arguments));
  CHECK_THAT(terminal.out, ContainsSubstring("\nUnary      greedy  joy "));
  CHECK_THAT(terminal.out, ContainsSubstring("AUC: area under the ROC curve"));
}

TEST_CASE("Finds a model's last finished runs and says what is missing", "[e2e]") {
  const TempFolder logs;
  const auto small = logs.path() / "GoEmotions" / "small";
  const auto copy = [&](const std::string& from, const std::string& to) {
    std::filesystem::create_directories((small / to).parent_path());
    std::filesystem::copy(from, small / to, std::filesystem::copy_options::recursive);
  };
  copy(kBaseline, "baseline/tiny--model_0");
  copy(kBaseline, "baseline/tiny--model_2");
  copy(kBaseline, "baseline/tiny--model_10");
  copy(kUnary, "unary/tiny--model_0");
  copy(kBaseline, "baseline/other--model_0");
  std::filesystem::create_directories(small / "baseline/tiny--model_11");  // not finished
  const Arguments find = joined(
      {"align", "GoEmotions", "--log-root", logs.path().string(), "--id-list", "small"}, kData);

  const ProgramResult result =
      run_program(joined(find, {"--model", "tiny/model", "--format", "json"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.err,
             ContainsSubstring("found " + (small / "baseline/tiny--model_10").string()));
  CHECK_THAT(result.err, ContainsSubstring("found " + (small / "unary/tiny--model_0").string()));
  CHECK_THAT(result.err, ContainsSubstring("missing: no finished run " +
                                           (small / "binary/tiny--model_<k>").string()));
  const json rows = json::parse(result.out)["rows"];
  CHECK(rows[0]["run"] == (small / "baseline/tiny--model_10").string() + ", experiment 0");

  const ProgramResult typo = run_program(joined(find, {"--model", "tiny/modell"}));
  CHECK(typo.exit_code == 2);
  CHECK_THAT(typo.err, ContainsSubstring("no finished run of model 'tiny/modell'"));
  CHECK_THAT(typo.err, ContainsSubstring("did you mean 'tiny--model'?"));
  const ProgramResult several = run_program(find);
  CHECK_THAT(several.err, ContainsSubstring("expected --model to choose one of several"));
  CHECK_THAT(several.err, ContainsSubstring("other--model, tiny--model"));
}

TEST_CASE("Help explains both commands with a real example", "[e2e]") {
  for (const std::string command : {"align", "distributions"}) {
    CHECK_THAT(run_program({"--help"}).out, ContainsSubstring("  " + command + " "));
    const ProgramResult help = run_program({command, "--help-all"});
    CHECK(help.exit_code == 0);
    CHECK_THAT(help.out, ContainsSubstring("Example:\n  labelprobe " + command + " GoEmotions"));
    CHECK_THAT(help.out, ContainsSubstring("--answer POSITION..."));
  }
}

TEST_CASE("A run whose items all failed is a row without numbers", "[e2e]") {
  const TempFolder folder;
  write_file(folder.path() / "indexed_metrics.yml",
             "experiment_0:\n  x1mofj1: {test_failure: too long, test_gt: []}\n");
  const json table = align_json(joined({"GoEmotions", kUnary, folder.path().string()}, kData));
  CHECK(table["rows"][0]["estimator"] == "baseline");
  CHECK(table["rows"][0]["nll"].is_null());
  CHECK(table["rows"][0]["n_failed"] == 1);
  const ProgramResult alone =
      run_program(joined({"align", "GoEmotions", folder.path().string()}, kData));
  CHECK(alone.exit_code == 3);
  CHECK_THAT(alone.err, ContainsSubstring("every item of the runs failed"));
}

struct AlignMistake {
  Arguments arguments;
  int exit_code;
  std::vector<std::string> said;
};

TEST_CASE("Every mistake about runs is answered with place, expectation and finding", "[e2e]") {
  const TempFolder folder;
  const auto path = [&](const std::string& name) { return (folder.path() / name).string(); };
  write_file(folder.path() / "labels.yml", "x1mofj1: {joy: 0.5, jo: 0.5, happy: 0.1}\n");
  write_file(folder.path() / "range.yml",
             "x1mofj1: {joy: 1.5, optimism: 0, admiration: 0, surprise: 0, fear: 0, sadness: 0, "
             "anger: 0}\n");
  write_file(folder.path() / "ids.yml",
             "other: {joy: 0.5, optimism: 0, admiration: 0, surprise: 0, fear: 0, sadness: 0, "
             "anger: 0}\n");
  std::filesystem::create_directories(folder.path() / "mixed");
  write_file(folder.path() / "mixed/indexed_metrics.yml",
             "experiment_0:\n  x1: {test_scores: {joy: 1}}\n  x1_unary_joy: {test_scores: {}}\n");
  std::filesystem::create_directories(folder.path() / "ratios");
  write_file(folder.path() / "ratios/indexed_metrics.yml",
             "experiment_0:\n  x1_ratio_0.2: {test_scores: {joy: 1}}\n");
  const Arguments go = {"align", "GoEmotions"};
  const auto with = [&](const Arguments& more) { return joined(joined(go, more), kData); };
  const std::vector<AlignMistake> mistakes = {
      {with({path("")}), 3, {"expected the log folder of a finished run", "runs below it: "}},
      {with({log_folder("GoEmotions/SFT-tiny_1")}),
       3,
       {"no such folder", "did you mean", "SFT-tiny_0"}},
      {with({log_folder("Hatexplain/unary_0")}),
       3,
       {"GoEmotions does not have", "another data set"}},
      {{"align", "GoEmotions", kBaseline, "--root-dir", "configs/example", "--test-splits", "dev"},
       3,
       {"has no probability of 'amusement'", "another label set"}},
      {with({kUnary, "--experiment", "3"}), 2, {"no experiment 3", "there are: 0"}},
      {with({kUnary, kUnary}), 2, {"each run once"}},
      {with({path("mixed")}), 3, {"items of one kind", "x1_unary_joy"}},
      {with({path("ratios")}), 2, {"multilabel_ICL", "no estimator"}},
      {with({"--sft", kUnary}), 2, {"baseline run of the fine-tuned model", "found unary"}},
      {with({kUnary, "--answer", "greedi"}), 2, {"'greedi'", "did you mean 'greedy'?"}},
      {with({kUnary, "--format", "text"}), 2, {"unknown format 'text'", "terminal, markdown"}},
      {with({kUnary, "--out", path("table.doc")}), 2, {"table.doc", ".tex"}},
      {with({kUnary, "--paper", "table2"}), 2, {"unknown table of the paper", "table1"}},
      {with({kUnary, "--bootstrap", "9", "--against", "Unarry"}),
       2,
       {"--against", "did you mean 'Unary"}},
      {with({kUnary, "--against", "1"}), 2, {"--bootstrap N"}},
      {with({kUnary, "--level", "95", "--bootstrap", "9"}), 2, {"above 0 and below 1"}},
      {with({kUnary, "--platt", kBinary}), 2, {"--platt", "binary run of the same model"}},
      {with({kUnary, "--platt-splits", "test"}), 2, {"--platt FOLDER"}},
      {with({"--scores", "scores.yml"}), 2, {"NAME=FILE"}},
      {with({"--scores", "A=" + path("no.yml")}), 3, {"no.yml: no such file"}},
      {with({"--scores", "A=" + path("labels.yml")}),
       3,
       {"labels.yml:1", "2 of 3 labels", "'jo'", "did you mean 'joy'?"}},
      {with({"--scores", "A=" + path("range.yml")}),
       3,
       {"range.yml:1", "'joy'", "from 0 to 1", "'1.5'"}},
      {with({"--scores", "A=" + path("ids.yml")}),
       3,
       {"all 1 are unknown", "'other'", "--test-splits"}},
      {with({"--scores", "A=" + kUnary + "/indexed_metrics.yml"}),
       3,
       {"a run's log", "folder instead"}},
      {with({"--log-root", log_folder("")}),
       2,
       {"run folders, or --id-list and --model", "fit, small"}},
      {with({"--log-root", log_folder(""), "--id-list", "smal"}),
       2,
       {"no such folder", "fit, small"}},
      {with({kUnary, "--model", "m"}), 2, {"found both"}},
      {joined({"distributions", "GoEmotions", kUnary, "--out", path("d.txt")}, kData),
       2,
       {".jsonl"}},
      {joined({"distributions", "GoEmotions", kUnary, "--out", path("d.yml"), "--estimator", "max"},
              kData),
       2,
       {"do not allow 'max'", "they allow: unary"}},
  };
  for (const AlignMistake& mistake : mistakes) {
    std::string line;
    for (const std::string& argument : mistake.arguments) {
      line += " " + argument;
    }
    const ProgramResult result = run_program(mistake.arguments);
    CAPTURE(line, result.err);
    CHECK(result.exit_code == mistake.exit_code);
    CHECK(result.out.empty());
    for (const std::string& part : mistake.said) {
      CHECK_THAT(result.err, ContainsSubstring(part));
    }
  }
}

}  // namespace
}  // namespace labelprobe
