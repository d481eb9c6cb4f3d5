// `labelprobe calibrate` from a log to a row of `align`; reference numbers from numpy and scipy
// (scripts/fixtures/alignment_logs.py).
#include <cmath>

#include "app/align_logs.h"
#include "support/catch.h"

namespace labelprobe {
namespace {

const std::string kFitBaseline = log_folder("GoEmotions/fit/baseline/tiny--model_0");

// kData with the split that the runs to fit on are of.
Arguments data_of(const std::string& split) {
  Arguments data = kData;
  data.back() = split;
  return data;
}

Arguments fit_of(const std::string& run, const std::string& calibrator, const std::string& out) {
  return {"calibrate", "fit", "GoEmotions", run, "--calibrator", calibrator, "--out", out};
}

// What the program says where it refuses.
std::string refusal(const Arguments& arguments, int exit_code) {
  const ProgramResult result = run_program(arguments);
  CHECK(result.exit_code == exit_code);
  return result.err;
}

class Files {
 public:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  TempFolder folder_;
};

TEST_CASE("A calibration fitted on one split is a row of another, with scipy's numbers", "[e2e]") {
  const Files files;
  const ProgramResult fitted = run_program(joined(
      joined(fit_of(kFitBaseline, "platt", files.path("platt.json")), {"--estimator", "baseline"}),
      data_of("test")));
  INFO(fitted.err);
  REQUIRE(fitted.exit_code == 0);
  CHECK_THAT(fitted.out, ContainsSubstring("GoEmotions: Platt scaling of baseline fitted on") &&
                             ContainsSubstring("baseline+platt") && ContainsSubstring("base rate"));
  const ProgramResult applied = run_program(
      {"calibrate", "apply", files.path("platt.json"), kBaseline, "--out", files.path("s.yml")});
  INFO(applied.err);
  REQUIRE(applied.exit_code == 0);
  const ProgramResult aligned = run_program(
      joined({"align", "GoEmotions", "--scores", "Mine=" + files.path("s.yml"), "--format", "json"},
             kData));
  INFO(aligned.err);
  REQUIRE(aligned.exit_code == 0);
  const json row = json::parse(aligned.out)["rows"][0];
  const json wanted = expected()["GoEmotions"]["rows"]["baseline Platt"];
  CHECK(row["method"] == "Mine");
  for (const char* metric : {"nll", "l1", "brier"}) {
    CAPTURE(metric, row[metric], wanted[metric]);
    CHECK(std::abs(row[metric]["value"].get<double>() - wanted[metric]["value"].get<double>()) <
          1e-6);
  }
}

TEST_CASE("Folds let a calibration be applied to its own examples, and make rows of align",
          "[e2e]") {
  const Files files;
  const Arguments fit = joined(
      joined(fit_of(kBaseline, "temperature", files.path("t.json")), {"--estimator", "baseline"}),
      kData);
  REQUIRE(run_program(fit).exit_code == 0);
  const Arguments apply = {"calibrate", "apply", files.path("t.json"),
                           kBaseline,   "--out", files.path("s.yml")};
  CHECK_THAT(refusal(apply, 3),
             ContainsSubstring("7 of 7 examples are those that temperature was fitted on") &&
                 ContainsSubstring("fit on another split, or fit with --folds 5"));

  const ProgramResult fitted = run_program(joined(fit, {"--folds", "3"}));
  REQUIRE(fitted.exit_code == 0);
  CHECK_THAT(fitted.out,
             ContainsSubstring("without each of 3 folds") && ContainsSubstring("held out"));
  const ProgramResult applied = run_program(apply);
  REQUIRE(applied.exit_code == 0);
  CHECK_THAT(applied.err, ContainsSubstring("7 examples by parameters fitted without their fold"));

  const ProgramResult aligned = run_program(
      joined({"align", "GoEmotions", kBaseline, "--scores", "Mine=" + files.path("s.yml"),
              "--calibrate", "temperature:3", "batch", "--format", "json"},
             kData));
  REQUIRE(aligned.exit_code == 0);
  json of_run;
  json of_file;
  const json table = json::parse(aligned.out);
  for (const json& row : table["rows"]) {
    if (row["method"] == "Compare-to-None+temperature") of_run = row;
    if (row["method"] == "Mine") of_file = row;
  }
  CHECK(of_run["estimator"] == "baseline+temperature");
  CHECK(std::abs(of_run["nll"]["value"].get<double>() - of_file["nll"]["value"].get<double>()) <
        1e-12);
  CHECK_THAT(aligned.out, ContainsSubstring("Max-over-generations+batch"));
}

TEST_CASE("Scores and content-free scores are calibrated without a run", "[e2e]") {
  const Files files;
  // q is proportional to p / p_cf; of single labels by hand: 3/4 and 1/4 over the mean 1/2, 1/4.
  write_file(files.path("p.yml"), "ab_1: {hate: 0.5, normal: 0.25, offensive: 0.25}\n");
  write_file(files.path("cf.yml"),
             "N/A: {hate: 0.75, normal: 0.125, offensive: 0.125}\n"
             "'': {hate: 0.25, normal: 0.375, offensive: 0.375}\n");
  const ProgramResult fitted = run_program(
      {"calibrate", "fit", "Hatexplain", files.path("p.yml"), "--calibrator", "contextual",
       "--content-free", files.path("cf.yml"), "--root-dir", fixture("data/hatexplain").string(),
       "--test-splits", "train", "--out", files.path("c.json")});
  INFO(fitted.err);
  REQUIRE(fitted.exit_code == 0);
  const ProgramResult applied =
      run_program({"calibrate", "apply", files.path("c.json"), files.path("p.yml"), "--out", "-"});
  INFO(applied.err);
  REQUIRE(applied.exit_code == 0);
  CHECK_THAT(applied.out, ContainsSubstring("\"ab_1\":\n") && ContainsSubstring(": 0.3333333333"));
}

TEST_CASE("Calibrations that cannot be are refused in one sentence each", "[e2e]") {
  const Files files;
  const std::string out = files.path("c.json");
  const auto fit = [&](const std::string& calibrator, const Arguments& more) {
    return joined(joined(fit_of(kBaseline, calibrator, out), more), kData);
  };
  CHECK_THAT(refusal(fit("plat", {}), 2), ContainsSubstring("did you mean 'platt'?"));
  CHECK_THAT(refusal(fit("platt", {}), 2),
             ContainsSubstring("expected one estimate, found 3: baseline of") &&
                 ContainsSubstring("--estimator NAME"));
  CHECK_THAT(refusal(fit("platt", {"--estimator", "output"}), 3),
             ContainsSubstring("all 49 probabilities of 'output' are 0 or 1"));
  CHECK_THAT(refusal(fit("platt", {"--estimator", "max", "--folds", "1"}), 2),
             ContainsSubstring("expected 0, or 2 or more, found 1"));
  CHECK_THAT(refusal(fit("dc_pmi", {"--estimator", "max"}), 2),
             ContainsSubstring("defined for single-label sets only"));
  CHECK_THAT(refusal(fit("contextual", {"--estimator", "max"}), 2),
             ContainsSubstring("needs distributions of content-free prompts"));
  for (const char* rate : {"joy", "joy=", "joy=much", "=0.5", "joi=0.5", "joy=0.5"}) {
    const std::string said = refusal(fit("prior_shift", {"--estimator", "max", "--rate", rate}), 2);
    CAPTURE(rate, said);
    CHECK_THAT(said, ContainsSubstring("--rate: "));
  }
  CHECK_THAT(refusal({"calibrate", "fot", "GoEmotions", "--out", out}, 2),
             ContainsSubstring("did you mean 'fit'?"));
  CHECK_THAT(refusal({"calibrate", "fit", "GoEmotins", "--out", out}, 2),
             ContainsSubstring("did you mean 'GoEmotions'?"));
  CHECK_THAT(refusal({"calibrate", "fit", "GoEmotions", "--out", out}, 2),
             ContainsSubstring("--calibrator is required to fit"));
  CHECK_THAT(refusal({"calibrate", "apply", "no.json", kBaseline, "--out", out}, 3),
             ContainsSubstring("no.json"));
  CHECK_THAT(
      refusal({"calibrate", "apply", "no.json", kBaseline, "--calibrator", "platt", "--out", out},
              2),
      ContainsSubstring("are of fit"));

  write_file(files.path("s.yml"), "a: {joy: 0.5}\n");
  CHECK_THAT(refusal({"calibrate", "fit", "SemEval", files.path("s.yml"), "--calibrator", "platt",
                      "--root-dir", fixture("data/sem_eval").string(), "--test-splits", "dev",
                      "--out", out},
                     2),
             ContainsSubstring("SemEval: expected a data set with several annotators"));
  REQUIRE(run_program(fit("batch", {"--estimator", "max"})).exit_code == 0);
  CHECK_THAT(
      refusal({"calibrate", "apply", out, kUnary, "--out", files.path("s.yml")}, 2),
      ContainsSubstring("c.json was fitted on 'max' of") && ContainsSubstring("they allow: unary"));
  write_file(out, "{\"format\": 1, \"calibrator\": 3}");
  CHECK_THAT(refusal({"calibrate", "apply", out, kBaseline, "--out", files.path("s.yml")}, 3),
             ContainsSubstring("c.json: key 'label_kind'"));
}

}  // namespace
}  // namespace labelprobe
