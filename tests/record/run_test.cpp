#include "labelprobe/record/run.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"

#include "record/items.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::LabelKind;
using labelprobe::record::ItemRecord;
using labelprobe::record::LabelValues;
using labelprobe::record::make_item;
using labelprobe::record::make_request;
using labelprobe::record::make_word_item;
using labelprobe::record::Metrics;
using labelprobe::record::Run;
using labelprobe::record::RunRequest;
using labelprobe::record::step_of;

namespace {

fs::path run_all(const RunRequest& request,
                 const std::vector<ItemRecord>& items,
                 const std::optional<Metrics>& metrics = std::nullopt,
                 const std::map<std::string, Metrics>& annotator_metrics = {}) {
  Run run = Run::open(request);
  run.append(items);
  std::vector<std::string> keys;
  for (const ItemRecord& item : items) {
    keys.push_back(item.key);
  }
  run.finish(keys, metrics, annotator_metrics);
  return run.folder();
}

// Everything of `wanted` stands in `ours` with the same value.
void check_covers(const YAML::Node& ours, const YAML::Node& wanted, const std::string& place) {
  INFO(place);
  REQUIRE(ours.IsDefined());
  REQUIRE(ours.Type() == wanted.Type());
  if (wanted.IsMap()) {
    for (const auto& entry : wanted) {
      const auto key = entry.first.as<std::string>();
      check_covers(ours[key], entry.second, place + "/" + key);
    }
  } else if (wanted.IsSequence()) {
    REQUIRE(ours.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      check_covers(ours[i], wanted[i], place + "/" + std::to_string(i));
    }
  } else {
    CHECK(ours.Scalar() == wanted.Scalar());
  }
}

// The items that the published log of the fixture is about.
std::vector<ItemRecord> published_items() {
  ItemRecord found;
  found.key = "de0";
  found.query_text = "Can I speak to the manager?";
  found.gold = {"surprise"};
  found.predictions = {"joy", "surprise"};
  found.label_steps = {step_of({{"admiration", 0.0021f},
                                {"anger", 0.0007f},
                                {"fear", 0.0003f},
                                {"joy", 0.0112f},
                                {"optimism", 0.0006f},
                                {"sadness", 0.0004f},
                                {"surprise", 0.9833f},
                                {"none", 0.0014f}}),
                       step_of({{"admiration", 0.0302f},
                                {"anger", 0.0011f},
                                {"fear", 0.0009f},
                                {"joy", 0.9601f},
                                {"optimism", 0.0051f},
                                {"sadness", 0.0013f},
                                {"surprise", 0.0011f},
                                {"none", 0.0002f}})};
  found.outs = "{\"label\": [\"surprise\", \"joy\"]}";
  found.residual_outs = "Input:";

  ItemRecord single;
  single.key = "12381";
  single.kind = LabelKind::SingleLabel;
  single.query_text = "a text: with a colon\nand a second line";
  single.gold = {"hate"};
  single.predictions = {"offensive"};
  single.label_steps = {step_of({{"hate", 0.2f}, {"normal", 0.3f}, {"offensive", 0.5f}})};
  single.outs = "offensive";

  ItemRecord nothing;
  nothing.key = "no";
  nothing.query_text = "1:30";
  nothing.stand_in_probs = {{"joy", 0.5f}, {"fear", 0.5f}};
  nothing.prefix_outs = "Let's think.";
  return {found, single, nothing};
}

}  // namespace

TEST_CASE("The log holds what PyYAML wrote for the same items", "[run]") {
  const labelprobe::support::TempFolder folder;
  const fs::path out = run_all(make_request(folder.path()), published_items());
  const YAML::Node wanted =
      YAML::LoadFile(labelprobe::support::fixture("record/published_log.yml").string());
  const YAML::Node ours = YAML::LoadFile((out / "indexed_metrics.yml").string());
  check_covers(ours, wanted, "");
  CHECK(ours["experiment_0"].size() == wanted["experiment_0"].size());
}

TEST_CASE("An entry carries what later questions need", "[run]") {
  const labelprobe::support::TempFolder folder;
  const fs::path out = run_all(make_request(folder.path()), {make_item("a")});
  const std::string text = labelprobe::support::read_file(out / "indexed_metrics.yml");
  const YAML::Node entry = YAML::Load(text)["experiment_0"]["a"];
  CHECK(entry["test_logits"]["joy"].as<float>() == 12.25f);
  CHECK(entry["test_all_scores"][1]["joy"].Scalar() == "1.0e-07");
  CHECK(entry["test_top_token"].Scalar() == "joy");
  CHECK(entry["test_top_token_logit"].as<float>() == 12.25f);
  CHECK(entry["test_top_tokens"][1][0].Scalar() == "\n");
  CHECK(entry["test_outs_ids"][2].as<int>() == 900);
  CHECK(entry["test_outs_id_index"].as<int>() == 0);
  CHECK(entry["test_label_found"].as<bool>());
  const YAML::Node step = entry["test_label_steps"][1];
  CHECK(step["index"].as<int>() == 2);
  CHECK(step["space"].Scalar() == "spaced");
  CHECK(step["logits"]["fear"].as<float>() == 11.5f);
  CHECK(step["other_logits"]["none"].as<float>() == 3.0f);
  CHECK(step["log_sum_exp"].as<float>() == 12.5f);
  CHECK(step["top_tokens"][1][0].Scalar() == " none");
  CHECK(step.size() == 6);
  CHECK(entry["test_n_prompt_tokens"].as<int>() == 321);
  CHECK(entry["test_prompt_hash"].Scalar() == "00ff");
  CHECK(entry["test_prompt_hash"].Tag() == "!");  // quoted: a reader would take it for a number
  CHECK(text.find("test_outs_ids: [12, 5, 900]\n") != std::string::npos);
}

TEST_CASE("A word answer is logged with the vocabulary's probabilities", "[run]") {
  const labelprobe::support::TempFolder folder;
  ItemRecord unanswered = make_word_item("b_unary_joy");
  unanswered.predictions.clear();
  unanswered.greedy_answer.reset();
  unanswered.checked_label = "joy";
  ItemRecord many = make_item("c_unary_joy");
  many.predictions.clear();
  const fs::path out =
      run_all(make_request(folder.path()), {make_word_item("a_unary_joy"), unanswered, many});
  const YAML::Node log = YAML::LoadFile((out / "indexed_metrics.yml").string())["experiment_0"];
  const YAML::Node answers = log["a_unary_joy"]["test_answers"];
  CHECK(answers.size() == 3);
  CHECK(answers["greedy"]["bare"]["reasonable"].as<float>() == 0.3f);
  CHECK(answers["greedy"]["spaced"]["reasonable"].Scalar() == "1.0e-06");
  CHECK(answers["greedy"]["is_top"].Scalar() == "true");
  CHECK(answers["first"]["is_top"].Scalar() == "false");
  CHECK(answers["healed"]["spaced"]["unreasonable"].as<float>() == 0.05f);
  CHECK(log["a_unary_joy"]["test_preds"].Scalar() == "reasonable");
  CHECK_FALSE(log["a_unary_joy"]["test_checked_label"]);
  CHECK(log["b_unary_joy"]["test_preds"].IsNull());
  CHECK_FALSE(log["b_unary_joy"]["test_answers"]["greedy"]);
  CHECK(log["b_unary_joy"]["test_answers"].size() == 2);
  CHECK(log["b_unary_joy"]["test_checked_label"].Scalar() == "joy");
  CHECK(log["c_unary_joy"]["test_preds"].IsSequence());
  CHECK_FALSE(log["c_unary_joy"]["test_answers"]);
}

TEST_CASE("Plain prompting logs steps as a list and annotators apart", "[run]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.layout = labelprobe::record::kPlainLayout;
  ItemRecord unfound = make_item("b");
  unfound.label_steps.clear();
  const fs::path out = run_all(
      request,
      {make_item("a"), unfound, make_item("a__12"), make_item("b__12"), make_item("b__rater")},
      Metrics{{"accuracy", 0.5}}, {{"12", {{"accuracy", 0.25}}}});
  const YAML::Node log = YAML::LoadFile((out / "indexed_metrics.yml").string())["experiment_0"];
  CHECK(log.size() == 3);
  REQUIRE(log["a"]["test_scores"].IsSequence());
  CHECK(log["a"]["test_scores"][1]["joy"].as<float>() == 1e-7f);
  CHECK_FALSE(log["a"]["test_all_scores"]);
  CHECK(log["b"]["test_scores"].IsSequence());
  CHECK(log["b"]["test_scores"].size() == 0);

  const std::string text = labelprobe::support::read_file(out / "annotator_preds.yml");
  const YAML::Node annotators = YAML::Load(text)["experiment_0"];
  CHECK(annotators.size() == 3);
  CHECK(text.starts_with("experiment_0:\n  '12':\n    a:\n      test_"));
  CHECK(annotators["12"].size() == 2);
  CHECK(annotators["12"]["a"]["test_scores"].size() == 2);
  CHECK(annotators["rater"]["b"]["test_outs"].Scalar() == "joy, fear");
  CHECK(annotators["description"].Scalar() == "");

  CHECK(labelprobe::support::read_file(out / "aggregated_metrics.yml") ==
        "'':\n  'n': 1\n  test_accuracy: '0.5+-0.0'\n");
  CHECK(labelprobe::support::read_file(out / "aggregated_annotator_metrics.yml") ==
        "'':\n  '12':\n    accuracy: '0.25+-0.0'\n");
  const YAML::Node numbers =
      YAML::LoadFile((out / "aggregated_indexed_metrics.yml").string())[""]["a"];
  CHECK(numbers["test_n_prompt_tokens"].Scalar() == "321.0+-0.0");
  CHECK(numbers["test_top_token_logit"].Scalar() == "12.25+-0.0");
  CHECK(numbers["test_classification_loss"].Scalar() == "0.0+-0.0");
  // A truth value is no number.
  CHECK_FALSE(numbers["test_label_found"]);
}

TEST_CASE("Runs under other descriptions are aggregated apart", "[run]") {
  const labelprobe::support::TempFolder folder;
  fs::path out;
  for (int seed = 0; seed < 3; ++seed) {
    RunRequest request = make_request(folder.path(), seed);
    request.layout = labelprobe::record::kPlainLayout;
    request.description = seed == 2 ? "again" : "";
    out = run_all(request, {make_item("a"), make_item("a__r")},
                  Metrics{{"accuracy", seed == 0 ? 0.5 : 0.7}});
  }
  CHECK(labelprobe::support::read_file(out / "aggregated_metrics.yml") ==
        "'':\n  'n': 2\n  test_accuracy: '0.6+-0.1386'\nagain:\n  'n': 1\n  test_accuracy: "
        "'0.7+-0.0'\n");
  CHECK(YAML::LoadFile((out / "again-annotator_preds.yml").string()).size() == 1);
  CHECK(labelprobe::record::read_run(out, 2, labelprobe::record::Annotators::All).items.size() ==
        2);
}

TEST_CASE("Only plain prompting has the files of annotators and aggregates", "[run]") {
  const labelprobe::support::TempFolder folder;
  const fs::path out = run_all(make_request(folder.path()), {make_item("a"), make_item("a__r")});
  for (const char* name : {"annotator_preds.yml", "numbers.yml", "aggregated_metrics.yml"}) {
    CHECK_FALSE(fs::exists(out / name));
  }
  CHECK(YAML::LoadFile((out / "indexed_metrics.yml").string())["experiment_0"]["a__r"].IsMap());
}

TEST_CASE("An item that failed is recorded as failed", "[run]") {
  const labelprobe::support::TempFolder folder;
  ItemRecord item;
  item.key = "a";
  item.kind = LabelKind::SingleLabel;
  item.query_text = "too long";
  item.gold = {"hate"};
  item.failure = "the prompt has 9000 tokens, the model takes 8192";
  const fs::path out = run_all(make_request(folder.path()), {item});
  const YAML::Node entry =
      YAML::LoadFile((out / "indexed_metrics.yml").string())["experiment_0"]["a"];
  CHECK(entry["test_failure"].Scalar() == *item.failure);
  CHECK(entry["test_gt"].Scalar() == "hate");
  CHECK(entry["test_text"].Scalar() == "too long");
  CHECK_FALSE(entry["test_preds"]);
  CHECK_FALSE(entry["test_scores"]);
}

TEST_CASE("The files beside the items are those of the published log", "[run]") {
  const labelprobe::support::TempFolder folder;
  const fs::path out = run_all(make_request(folder.path()), {make_item("a")},
                               Metrics{{"micro_f1", 0.5}, {"joy_f1", 1.0}});
  CHECK(labelprobe::support::read_file(out / "metrics.yml") ==
        "experiment_0:\n  description: ''\n  test_joy_f1: 1.0\n  test_micro_f1: 0.5\n");
  CHECK(labelprobe::support::read_file(out / "annotator_metrics.yml") ==
        "experiment_0:\n  description: ''\n");
  CHECK(labelprobe::support::read_file(out / "steps.yml") == "{}\n");
  CHECK(labelprobe::support::read_file(out / "names.txt") ==
        "baseline,meta-llama--Llama-3.1-8B,None,None,multilabel,10,aggregate,json,None:\n"
        "___distribution___\n__model_name_or_path___\n_label_mode___\n_query_label_mode___\n"
        "_sampling_strategy___\n_shot___\nannotation_mode___\nlabel_format___\n"
        "word_embeddings_model___");
  const YAML::Node params = YAML::LoadFile((out / "params.yml").string())["experiment_0"];
  CHECK(params["shot"].as<int>() == 10);
  CHECK(params["_shot___"].as<int>() == 10);
  CHECK(params["label_mode"].IsNull());
  CHECK(params["cot_randomize"].Scalar() == "false");
  CHECK(params["incontext_prompt"].Scalar() == "Input: {text}\n{label}\n");
  CHECK(params["train_splits"][0].Scalar() == "train");
  CHECK(params.size() == 16 + 9);
  CHECK_FALSE(fs::exists(out / "journal_0.jsonl"));
}

TEST_CASE("Every file accumulates, whether or not a run stores metrics", "[run]") {
  const labelprobe::support::TempFolder folder;
  run_all(make_request(folder.path(), 0), {make_item("a")});
  run_all(make_request(folder.path(), 1), {make_item("a")}, Metrics{{"micro_f1", 0.25}});
  const fs::path out = run_all(make_request(folder.path(), 2), {make_item("a")});
  for (const char* name : {"params.yml", "indexed_metrics.yml", "annotator_metrics.yml"}) {
    const YAML::Node file = YAML::LoadFile((out / name).string());
    REQUIRE(file.size() == 3);
    CHECK(file["experiment_2"].IsMap());
  }
  const YAML::Node params = YAML::LoadFile((out / "params.yml").string());
  CHECK(params["experiment_1"]["seed"].as<int>() == 1);
  const YAML::Node metrics = YAML::LoadFile((out / "metrics.yml").string());
  REQUIRE(metrics.size() == 1);
  CHECK(metrics["experiment_1"]["test_micro_f1"].as<double>() == 0.25);
}

TEST_CASE("Without metrics there is no metrics.yml", "[run]") {
  const labelprobe::support::TempFolder folder;
  CHECK_FALSE(fs::exists(run_all(make_request(folder.path()), {make_item("a")}) / "metrics.yml"));
}

TEST_CASE("A description is written and prefixes the annotators' file", "[run]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.description = "first/try: yes";
  const fs::path out =
      run_all(request, {make_item("a__r1")}, Metrics{}, {{"r1", {{"micro_f1", 0.125}}}});
  const YAML::Node file =
      YAML::LoadFile((out / "first--try: yes-annotator_metrics.yml").string())["experiment_0"];
  CHECK(file["r1"]["micro_f1"].as<double>() == 0.125);
  CHECK(file["description"].Scalar() == "first/try: yes");
  CHECK_FALSE(fs::exists(out / "annotator_metrics.yml"));
}

TEST_CASE("The order in which items finish leaves no trace", "[run]") {
  const labelprobe::support::TempFolder one;
  const labelprobe::support::TempFolder other;
  std::vector<ItemRecord> items;
  for (const char* key : {"b", "a", "zz", "descriptive", "d", "10", "9", "ä"}) {
    items.push_back(make_item(key));
  }
  const fs::path first = run_all(make_request(one.path()), items);
  std::reverse(items.begin(), items.end());
  const fs::path second = run_all(make_request(other.path()), items);
  CHECK(labelprobe::support::read_file(first / "indexed_metrics.yml") ==
        labelprobe::support::read_file(second / "indexed_metrics.yml"));

  std::vector<std::string> keys;
  const YAML::Node log = YAML::LoadFile((first / "indexed_metrics.yml").string())["experiment_0"];
  for (const auto& entry : log) {
    keys.push_back(entry.first.as<std::string>());
  }
  CHECK(keys.size() == items.size() + 1);
  CHECK(std::is_sorted(keys.begin(), keys.end()));
}

TEST_CASE("What could not be logged later is refused at once", "[run]") {
  const labelprobe::support::TempFolder folder;
  Run run = Run::open(make_request(folder.path()));
  const ItemRecord reserved = make_item("description");
  CHECK_THROWS_AS(run.append({&reserved, 1}), labelprobe::DataError);
  ItemRecord two_gold = make_item("a");
  two_gold.kind = LabelKind::SingleLabel;
  two_gold.gold = {"joy", "fear"};
  CHECK_THROWS_AS(run.append({&two_gold, 1}), labelprobe::InternalError);
  ItemRecord reserved_annotator = make_item("a__description");
  CHECK_THROWS_AS(run.append({&reserved_annotator, 1}), labelprobe::DataError);
  RunRequest plain_request = make_request(folder.path());
  plain_request.category = "Plain";
  plain_request.layout = labelprobe::record::kPlainLayout;
  Run plain = Run::open(plain_request);
  ItemRecord elsewhere = make_item("a");
  elsewhere.annotator = "r1";
  CHECK_THROWS_WITH(plain.append({&elsewhere, 1}), ContainsSubstring("expected <example id>__r1"));
  ItemRecord broken = make_item("a");
  broken.opening_tokens = {{"\xE2\x82", 1.0f}};
  CHECK_THROWS_AS(run.append({&broken, 1}), labelprobe::InternalError);

  const std::vector<std::string> missing = {"a"};
  CHECK_THROWS_AS(run.finish(missing, std::nullopt, {}), labelprobe::InternalError);
}
