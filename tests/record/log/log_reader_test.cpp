#include "labelprobe/record/log_reader.h"

#include <algorithm>
#include <fstream>

#include "labelprobe/core/error.h"
#include "labelprobe/record/run.h"

#include "record/items.h"
#include "support/catch.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::LabelKind;
using labelprobe::record::ItemRecord;
using labelprobe::record::LogLayout;
using labelprobe::record::make_item;
using labelprobe::record::make_request;
using labelprobe::record::make_word_item;
using labelprobe::record::read_annotator_predictions;
using labelprobe::record::read_experiment;
using labelprobe::record::Run;
using labelprobe::record::RunRequest;

namespace {

// As the log has it: label values sorted by name.
ItemRecord sorted(ItemRecord item) {
  for (auto& step : item.label_steps) {
    std::sort(step.logits.begin(), step.logits.end());
    std::sort(step.other_logits.begin(), step.other_logits.end());
    std::sort(step.logged_probs.begin(), step.logged_probs.end());
  }
  std::sort(item.stand_in_probs.begin(), item.stand_in_probs.end());
  for (auto* answer : {&item.greedy_answer, &item.first_answer, &item.healed_answer}) {
    if (*answer) {
      std::sort((*answer)->bare_probs.begin(), (*answer)->bare_probs.end());
      std::sort((*answer)->spaced_probs.begin(), (*answer)->spaced_probs.end());
    }
  }
  return item;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Logs the items as one experiment and returns its folder.
fs::path log_items(const RunRequest& request, const std::vector<ItemRecord>& items) {
  Run run = Run::open(request);
  run.append(items);
  std::vector<std::string> keys;
  for (const ItemRecord& item : items) {
    keys.push_back(item.key);
  }
  run.finish(keys, std::nullopt, {});
  return run.folder();
}

fs::path write_log(const fs::path& folder, const std::string& text) {
  std::ofstream(folder / "indexed_metrics.yml", std::ios::binary) << text;
  return folder;
}

}  // namespace

TEST_CASE("Reads back what a run wrote", "[log_reader]") {
  const labelprobe::support::TempFolder folder;
  ItemRecord odd = make_item("yes");
  odd.query_text = "\xEF\xBB\xBF 1:30 \x07 \xE2\x80\xA8 '\"\\ # : \n";
  odd.prefix_outs = "";
  odd.label_steps[0].likely_tokens = {{"\x7f", -1e-30f}, {"\xF0\x9F\x98\x80", 3e30f}};
  ItemRecord rater = make_item("a__rater 1");
  rater.annotator = "rater 1";
  rater.kind = LabelKind::SingleLabel;
  rater.predictions = {"fear"};
  const std::vector<ItemRecord> items = {make_item("a"), rater, odd};
  const std::vector<std::string> keys = {"a", "a__rater 1", "yes"};
  fs::path out;
  for (int seed = 0; seed < 2; ++seed) {
    Run run = Run::open(make_request(folder.path(), seed));
    run.append(seed == 0 ? std::vector<ItemRecord>{make_item("a")} : items);
    run.finish(std::vector<std::string>(keys.begin(), keys.begin() + (seed == 0 ? 1 : 3)),
               std::nullopt, {});
    out = run.folder();
  }
  const auto last = read_experiment(out);
  CHECK(last.index == 1);
  REQUIRE(last.items.size() == 3);
  for (std::size_t i = 0; i < items.size(); ++i) {
    INFO(keys[i]);
    CHECK(sorted(last.items[i]) == sorted(items[i]));
  }
  CHECK(read_experiment(out, 0).items.size() == 1);
  CHECK_THROWS_AS(read_experiment(out, 7), labelprobe::ConfigError);
  CHECK_THROWS_WITH(read_experiment(out, 7), ContainsSubstring("(there are: 0, 1)"));
}

TEST_CASE("What is read and written again is the same in both layouts", "[log_reader]") {
  ItemRecord word = make_word_item("a_unary_joy");
  ItemRecord unanswered = make_word_item("b_unary_joy");
  unanswered.predictions.clear();
  unanswered.label_steps.clear();
  unanswered.stand_in_probs = {{"reasonable", 0.5f}, {"unreasonable", 0.5f}};
  unanswered.opening_tokens = {{"what", 1.5f}};
  unanswered.greedy_answer.reset();
  ItemRecord many = make_item("c_binary_joy_fear");
  many.annotator = "aggregate_binary_joy_fear";
  many.predictions.clear();
  ItemRecord checked = make_item("d");
  checked.checked_label = "no";
  for (const LogLayout layout : {LogLayout::Distribution, LogLayout::Plain}) {
    const labelprobe::support::TempFolder one;
    const labelprobe::support::TempFolder two;
    std::vector<ItemRecord> items = {word, unanswered, many, checked};
    if (layout == LogLayout::Plain) {
      // Plain prompting logs neither breakdown prompts nor a stand-in for scores that are missing.
      items[0].key = "a", items[0].annotator = "aggregate";
      items[1].key = "b", items[1].annotator = "aggregate", items[1].stand_in_probs.clear();
      items[2].key = "c__r 1", items[2].annotator = "r 1";
    }
    RunRequest request = make_request(one.path());
    request.layout = layout;
    const fs::path first = log_items(request, items);
    std::vector<ItemRecord> read = labelprobe::record::read_experiment(first).items;
    for (const ItemRecord& item : read_annotator_predictions(first)) {
      read.insert(read.begin() + 2, item);
    }
    REQUIRE(read.size() == items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      INFO(items[i].key);
      CHECK(read[i] == sorted(items[i]));
    }
    request.log_root = two.path();
    const fs::path second = log_items(request, read);
    for (const char* name : {"indexed_metrics.yml", "annotator_preds.yml"}) {
      CHECK(read_file(first / name) == read_file(second / name));
    }
  }
}

TEST_CASE("Reads the predictions of single annotators", "[log_reader]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.layout = LogLayout::Plain;
  const fs::path out =
      log_items(request, {make_item("a"), make_item("a__r 1"), make_item("b__r 1")});
  request = make_request(folder.path(), 1);
  request.layout = LogLayout::Plain;
  log_items(request, {make_item("a"), make_item("c__12")});
  const auto keys = [&](std::optional<int> index) {
    std::vector<std::string> found;
    for (const ItemRecord& item : read_annotator_predictions(out, index)) {
      found.push_back(item.key + " " + item.annotator);
    }
    return found;
  };
  CHECK(keys(0) == std::vector<std::string>{"a__r 1 r 1", "b__r 1 r 1"});
  CHECK(keys(std::nullopt) == std::vector<std::string>{"c__12 12"});
  CHECK_THROWS_AS(read_annotator_predictions(out, 2), labelprobe::ConfigError);
  CHECK(read_experiment(out, 0).items.size() == 1);

  fs::remove(out / "annotator_preds.yml");
  CHECK(keys(0).empty());
  std::ofstream(out / "annotator_preds.yml") << "experiment_0:\n  r1:\n    a: 5\n";
  CHECK_THROWS_AS(read_annotator_predictions(out, 0), labelprobe::DataError);
  CHECK_THROWS_AS(read_annotator_predictions(out / "nowhere"), labelprobe::DataError);
}

TEST_CASE("Reads a log that PyYAML wrote", "[log_reader]") {
  const labelprobe::support::TempFolder folder;
  fs::copy(labelprobe::support::fixture("record/published_log.yml"),
           folder.path() / "indexed_metrics.yml");
  const auto log = read_experiment(folder.path());
  REQUIRE(log.items.size() == 3);
  const ItemRecord& single = log.items[0];
  CHECK(single.key == "12381");
  CHECK(single.kind == LabelKind::SingleLabel);
  CHECK(single.gold == std::vector<std::string>{"hate"});
  CHECK(single.query_text == "a text: with a colon\nand a second line");
  const ItemRecord& found = log.items[1];
  CHECK(found.predictions == std::vector<std::string>{"joy", "surprise"});
  REQUIRE(found.label_steps.size() == 2);
  CHECK(label_probs(found.label_steps[1])[3] == std::pair<std::string, float>{"joy", 0.9601f});
  CHECK(found.outs == "{\"label\": [\"surprise\", \"joy\"]}");
  CHECK_FALSE(found.prefix_outs);
  CHECK(log.items[2].key == "no");
  CHECK(log.items[2].prefix_outs == "Let's think.");
  CHECK(log.items[2].label_steps.empty());
}

TEST_CASE("A damaged log is named with line and field", "[log_reader]") {
  const labelprobe::support::TempFolder folder;
  CHECK_THROWS_WITH(read_experiment(folder.path()), ContainsSubstring("no such file"));
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"experiment_0:\n  a:\n    test_scores:\n      joy: big\n", "yml:4: test_scores: "},
      {"experiment_0:\n  a:\n    test_outs_ids: [1, x]\n", "yml:3: test_outs_ids: "},
      {"experiment_0:\n  a:\n    test_all_scores:\n    - 5\n", "yml:4: test_all_scores: "},
      {"experiment_0:\n  a:\n    test_answers: 5\n", "yml:3: test_answers: "},
      {"experiment_0:\n  a:\n    test_answers:\n      first: {bare: {}, spaced: {}, is_top: 7}\n",
       "yml:4: test_answers: "},
      {"experiment_0:\n  a:\n    test_answers:\n      first: []\n", "yml:4: test_answers: "},
      {"experiment_0:\n  a: {b: 1\n", "yml:"},
      {"experiment_0: 5\n", "yml:1: "},
      {"experiment_0:\n  a: " + std::string(100000, '[') + "\n", "yml:"},
  };
  for (const auto& [text, finding] : cases) {
    INFO(text.substr(0, 80));
    write_log(folder.path(), text);
    CHECK_THROWS_AS(read_experiment(folder.path()), labelprobe::DataError);
    CHECK_THROWS_WITH(read_experiment(folder.path()), ContainsSubstring(finding));
  }
  for (const char* text :
       {"", "\n", "experiment_", "experiment_5", "experiment_99999999999999999999: {}\n", "x: 1"}) {
    write_log(folder.path(), text);
    CHECK_THROWS_AS(read_experiment(folder.path()), labelprobe::ConfigError);
  }
}
