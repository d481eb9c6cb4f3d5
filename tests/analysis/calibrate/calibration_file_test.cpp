#include "labelprobe/analysis/calibration_file.h"

#include <functional>
#include <sstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::analysis {
namespace {

using nlohmann::json;

const LabelSet kLabels({"joy", "fear"}, LabelKind::MultiLabel);
const LabelNumbers kProbs = {
    {"a", {.1, .2}}, {"b", {.8, .3}}, {"c", {.4, .9}}, {"d", {.3, .6}}, {"e", {.7, .1}}};
const Votes kVotes = {{"a", {{0, .5}, 2, {}}},
                      {"b", {{.5, 0}, 2, {}}},
                      {"c", {{.5, 1}, 2, {}}},
                      {"d", {{0, .5}, 2, {}}},
                      {"e", {{1, 0}, 2, {}}}};

FittedCalibration fit(std::string_view name, int n_folds) {
  const Distributions estimates{"unary", kProbs};
  FittedCalibration fitted =
      fit_calibration(find_calibrator(name, LabelKind::MultiLabel),
                      {estimates, kVotes, nullptr, kLabels, {}}, {n_folds, 3});
  fitted.source = {"labelprobe 0.2.0",
                   "GoEmotions",
                   "logs/x_0, experiment 0",
                   "tiny",
                   "unary",
                   "first",
                   "",
                   {"dev"}};
  return fitted;
}

std::string text_of(const FittedCalibration& fitted) {
  std::ostringstream out;
  write_calibration(out, fitted);
  return out.str();
}

FittedCalibration read_text(const std::string& text) {
  const support::TempFolder folder;
  support::write_file(folder.path() / "c.json", text);
  return read_calibration(folder.path() / "c.json");
}

TEST_CASE("What is written is read back, every digit", "[calibrate]") {
  for (const char* name :
       {"temperature", "label_temperature", "affine", "isotonic", "prior_shift", "batch_fitted"}) {
    INFO(name);
    const FittedCalibration fitted = fit(name, 2);
    const FittedCalibration read = read_text(text_of(fitted));
    CHECK(read.calibrator == fitted.calibrator);
    CHECK(read.label_set == kLabels);
    CHECK(read.source == fitted.source);
    CHECK(read.example_ids == fitted.example_ids);
    CHECK(read.parameters == fitted.parameters);
    CHECK(read.seed == 3);
    REQUIRE(read.folds.size() == 2);
    CHECK(read.folds[1].held_out == fitted.folds[1].held_out);
    CHECK(read.folds[1].parameters == fitted.folds[1].parameters);
    CHECK(*read.loss->held_out == *fitted.loss->held_out);
    CHECK(text_of(read) == text_of(fitted));
  }
}

TEST_CASE("The file says in words what it is", "[calibrate]") {
  const json file = json::parse(text_of(fit("label_temperature", 2)));
  CHECK(file["calibrator"] == "label_temperature");
  CHECK(file["label_kind"] == "multi-label");
  CHECK(file["source"]["estimates"] == "logs/x_0, experiment 0");
  CHECK(file["fitted_on"]["n_examples"] == 5);
  CHECK(file["fitted_on"]["reads_votes"] == true);
  CHECK(file["parameters"]["labels"]["joy"]["temperature"].is_number());
  CHECK(file["folds"][0]["held_out"].size() == 3);
}

// The message for a file of which `change` has changed something.
std::string refusal(const char* calibrator, const std::function<void(json&)>& change) {
  json file = json::parse(text_of(fit(calibrator, 2)));
  change(file);
  try {
    read_text(file.dump());
  } catch (const DataError& error) {
    return error.what();
  }
  return "taken";
}

TEST_CASE("A file of another form is refused by file, path and finding", "[calibrate]") {
  struct Case {
    const char* calibrator;
    std::function<void(json&)> change;
    const char* message;
  };
  const Case cases[] = {
      {"platt", [](json& f) { f["format"] = 2; }, "key 'format'"},
      {"platt", [](json& f) { f["colour"] = 1; }, "unknown key 'colour'"},
      {"platt", [](json& f) { f.erase("labels"); }, "key 'labels'"},
      {"platt", [](json& f) { f["calibrator"] = "plat"; }, "key 'calibrator': unknown calibrator"},
      {"platt", [](json& f) { f["calibrator"] = "temperature"; }, "key 'parameters.shared"},
      {"platt", [](json& f) { f["label_kind"] = "single-label"; }, "for multi-label sets only"},
      {"platt",
       [](json& f) {
         f["labels"] = {"joy", "joy"};
       },
       "key 'labels'"},
      {"platt", [](json& f) { f["parameters"]["shared"]["weight"] = "1"; },
       "key 'parameters.shared.weight': expected"},
      {"platt", [](json& f) { f["parameters"]["labels"]["joy"]["weight"] = 1; },
       "key 'parameters.labels': unknown key 'joy'"},
      {"temperature", [](json& f) { f["parameters"]["shared"]["temperature"] = 0; },
       "key 'parameters.shared.temperature': expected a number from 0.01 to 100, found 0"},
      {"affine", [](json& f) { f["parameters"]["labels"].erase("fear"); },
       "key 'parameters.labels.fear'"},
      {"affine", [](json& f) { f["folds"][1]["parameters"]["labels"]["fear"]["slope"] = 1; },
       "key 'folds[1].parameters.labels.fear': unknown key 'slope'"},
      {"isotonic",
       [](json& f) {
         f["parameters"]["labels"]["joy"]["prob"] = {.5, .1};
       },
       "key 'parameters.labels.joy.prob[1]': expected numbers that do not fall"},
      {"isotonic", [](json& f) { f["parameters"]["labels"]["joy"]["prob"] = {.5}; },
       "key 'parameters.labels.joy': expected lists of one length"},
      {"isotonic", [](json& f) { f["parameters"]["labels"]["joy"]["share"] = json::array(); },
       "expected one number or more"},
      {"prior_shift", [](json& f) { f["parameters"]["labels"]["joy"]["new_rate"] = 1.5; },
       "expected a number from 0 to 1, found 1.5"},
      {"platt", [](json& f) { f["example_ids"][0] = "z"; }, "key 'fitted_on.fingerprint'"},
      {"platt", [](json& f) { f["example_ids"][0] = "b"; }, "a second time"},
      {"platt", [](json& f) { f["fitted_on"]["n_examples"] = 6; }, "key 'fitted_on.n_examples'"},
      {"platt", [](json& f) { f["folds"].erase(1); }, "expected no folds, or two or more"},
      {"platt", [](json& f) { f["folds"][0]["held_out"][0] = "z"; },
       "key 'folds[0].held_out': the id 'z' is not one of example_ids"},
      {"platt", [](json& f) { f["folds"][1]["held_out"] = f["folds"][0]["held_out"]; },
       "is in another fold too"},
      {"platt", [](json& f) { f["folds"][1]["held_out"].erase(0); },
       "expected each of the 5 examples in one fold, found 4"},
      {"platt", [](json& f) { f["loss"]["before"] = nullptr; }, "key 'loss.before'"},
      {"platt", [](json& f) { f = json::array(); }, "expected"},
  };
  for (const Case& one : cases) {
    INFO(one.message);
    const std::string message = refusal(one.calibrator, one.change);
    CHECK_THAT(message, ContainsSubstring("c.json") && ContainsSubstring(one.message));
  }
  CHECK_THROWS_AS(read_text("{\"format\": 1"), DataError);
}

TEST_CASE("A calibration that reads no votes cannot say that it did", "[calibrate]") {
  json file = json::parse(text_of(fit("batch", 0)));
  CHECK(read_text(file.dump()).has_read_votes == false);
  file["fitted_on"]["reads_votes"] = true;
  CHECK_THROWS_WITH(read_text(file.dump()),
                    ContainsSubstring("expected false, as 'batch' reads none, found true"));
}

}  // namespace
}  // namespace labelprobe::analysis
