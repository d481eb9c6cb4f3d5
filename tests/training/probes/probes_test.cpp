#include "labelprobe/training/probes.h"

#include <sstream>

#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/safetensors.h"
#include "labelprobe/files/yaml.h"

#include "support/catch.h"
#include "support/errors.h"
#include "training/fixture.h"

namespace labelprobe::training {
namespace {

namespace fs = std::filesystem;
using support::TempFolder;

// Copies of a fixture's runs, for files are written into them.
struct Runs {
  TempFolder folder;
  ProbeRequest request;

  explicit Runs(const std::string& name) {
    for (const std::string& one : {name, name + "_scored"}) {
      fs::copy(support::fixture("training/" + one), folder.path() / one);
    }
    request.run = {folder.path() / name, std::nullopt};
    request.scored = record::RunName{folder.path() / (name + "_scored"), std::nullopt};
    request.output_folder = folder.path() / "out";
  }
};

void check_metrics(const fs::path& path, const nlohmann::json& expected) {
  const files::YamlView found = files::load_yaml(path, ErrorKind::Data);
  CHECK(found.members().size() == expected.size());
  for (const auto& [name, number] : expected.items()) {
    CAPTURE(name);
    CHECK(found.find(name)->number().value() == Approx(number.get<double>()).margin(1e-12));
  }
}

void check_items(const fs::path& path, const nlohmann::json& one) {
  const LabelSet label_set = label_set_of(one);
  const files::YamlView found = files::load_yaml(path, ErrorKind::Data);
  REQUIRE(found.members().size() == one["test"].size());
  for (std::size_t i = 0; i < one["test"].size(); ++i) {
    const std::string key = one["test"][i];
    const files::YamlView item = found.find(key).value();
    std::vector<std::string> names;
    if (label_set.is_multilabel()) {
      for (const files::YamlView& name : item.find("preds")->items()) names.push_back(name.text());
    } else {
      names.push_back(item.find("preds")->text());
    }
    Labels expected;
    const auto& row = one["test_found"][i];
    if (row.is_array()) {
      for (int label = 0; label < label_set.size(); ++label) {
        if (row[static_cast<std::size_t>(label)] == 1) expected.push_back(label);
      }
    } else {
      expected.push_back(row.get<int>());
    }
    CHECK(names == label_set.names_of(expected));
    CHECK(item.find("gt").has_value());
    CHECK_FALSE(item.find("model_outs")->text().empty());
  }
}

void check_scores(const fs::path& path, const nlohmann::json& one) {
  const LabelSet label_set = label_set_of(one);
  const analysis::Distributions found = analysis::read_scores(path, label_set);
  REQUIRE(found.probs.size() == one["scores"].size());
  for (const auto& [key, probs] : one["scores"].items()) {
    for (std::size_t label = 0; label < probs.size(); ++label) {
      CHECK(found.probs.at(key)[label] == Approx(probs[label].get<double>()).margin(1e-8));
    }
  }
}

}  // namespace

TEST_CASE("From log and states to files as numpy and scikit-learn make them", "[golden]") {
  const nlohmann::json all = reference();
  for (const auto& one : all["cases"]) {
    CAPTURE(one["run"].get<std::string>(), one["solver"].get<std::string>());
    const Runs runs(one["run"]);
    const ProbeSettings settings = settings_of(all, one);
    const ProbePlan plan = plan_probes(runs.request, settings);
    CHECK(plan.items.label_set == label_set_of(one));
    std::vector<std::string> test;
    for (const int item : plan.test) {
      test.push_back(plan.items.states.keys[static_cast<std::size_t>(item)]);
    }
    CHECK(test == one["test"].get<std::vector<std::string>>());
    std::vector<std::string> told;
    const ProbeOutcome outcome =
        train_probes(plan, settings, [&](const std::string& what) { told.push_back(what); });
    CHECK(told.size() >= 2);
    write_probe_files(runs.request, settings, outcome);
    for (const fs::path& path : probe_files(runs.request)) CHECK(fs::exists(path));
    for (const fs::path& folder :
         {runs.request.output_folder, runs.request.run.folder / "linear_probes"}) {
      check_metrics(folder / "metrics.yml", one["metrics"]);
      check_metrics(folder / "metrics_model.yml", one["metrics_model"]);
      check_items(folder / "indexed_metrics.yml", one);
    }
    check_scores(runs.request.output_folder / "eval_scores.yml", one);
    check_scores(runs.request.scored->folder / "linear_probes" / "scores.yml", one);
    const auto model = files::SafetensorsFile::open(
        runs.request.output_folder / "model.safetensors", ErrorKind::Data);
    CHECK(model.tensors().size() == 6);
    CHECK(model.metadata().at("solver") == one["solver"].get<std::string>());
  }
}

TEST_CASE("The table names what it shows, in every format", "[unit]") {
  const nlohmann::json all = reference();
  const Runs runs("many");
  ProbeSettings settings = settings_of(all, all["cases"][0]);
  settings.max_epochs = 3;
  const std::vector<ProbeOutcome> outcomes = {
      train_probes(plan_probes(runs.request, settings), settings, {})};
  const auto table = [&](analysis::TableFormat format) {
    std::ostringstream out;
    write_probe_table(out, outcomes, format);
    return out.str();
  };
  const std::string text = table(analysis::TableFormat::Terminal);
  CHECK_THAT(text, ContainsSubstring("Perf") && ContainsSubstring("Pred 2+") &&
                       ContainsSubstring("micro F1") &&
                       ContainsSubstring("had not converged after 3 epochs") &&
                       ContainsSubstring("all training items agree about surprise (gold)"));
  CHECK_THAT(table(analysis::TableFormat::Csv),
             ContainsSubstring("metric,perf,gold,pred,pred_nonfirst,pred_nonzero,n_test,run"));
  const auto json = nlohmann::json::parse(table(analysis::TableFormat::Json));
  CHECK(json[0]["table"][0]["perf"] == json[0]["metrics"]["llm_micro_f1"]);
  CHECK(json[0]["n_regressions"] == 6);
  CHECK_THAT(table(analysis::TableFormat::Markdown), ContainsSubstring("| metric"));
}

TEST_CASE("What cannot be probed is told with what would do", "[unit]") {
  Runs runs("many");
  ProbeSettings settings;
  const auto message = [&] {
    return support::message_of<Error>([&] { plan_probes(runs.request, settings); });
  };
  CHECK_THAT(message(), ContainsSubstring("512 components of 12 features and 45 training rows: "
                                          "expected 1 to 12") &&
                            ContainsSubstring("--components"));
  settings.n_components = 4;
  settings.layer = 2;
  CHECK_THAT(message(), ContainsSubstring("no states of layer 2 (there are: 3, -1)"));
  settings.layer = 3;
  settings.l2 = 0;
  CHECK_THAT(message(), ContainsSubstring("--l2: expected a number above 0"));
  settings.l2 = 1;
  runs.request.states = support::fixture("training/one/hidden_states_0.safetensors");
  CHECK_THAT(message(), ContainsSubstring("item 'one000' is not in the log of"));
  runs.request.states = runs.folder.path() / "no.safetensors";
  CHECK_THAT(message(), ContainsSubstring("no such file; expected the hidden states of a run"));
  runs.request.states.clear();
  runs.request.run.folder = support::fixture("align/logs/GoEmotions/fit/binary/tiny--model_0");
  CHECK_THAT(message(), ContainsSubstring("probes need a run that asks for the labels"));
}

}  // namespace labelprobe::training
