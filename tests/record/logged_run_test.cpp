#include "labelprobe/record/logged_run.h"

#include <algorithm>
#include <fstream>

#include "labelprobe/core/error.h"
#include "labelprobe/record/run.h"

#include "record/items.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::LabelKind;
using labelprobe::record::Annotators;
using labelprobe::record::ItemRecord;
using labelprobe::record::LabelStep;
using labelprobe::record::LabelValues;
using labelprobe::record::LoggedRun;
using labelprobe::record::make_bare_readout;
using labelprobe::record::make_item;
using labelprobe::record::make_readout;
using labelprobe::record::make_request;
using labelprobe::record::make_word_item;
using labelprobe::record::parse_run_name;
using labelprobe::record::read_run;
using labelprobe::record::Run;
using labelprobe::record::RunRequest;
using labelprobe::record::sorted;

namespace {

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

TEST_CASE("Reads back what a run wrote", "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  ItemRecord odd = make_item("yes");
  odd.query_text = "\xEF\xBB\xBF 1:30 \x07 \xE2\x80\xA8 '\"\\ # : \n";
  odd.prefix_outs = "";
  odd.readouts = {make_readout("marginal_exact"), make_bare_readout("hazard_union")};
  odd.label_steps[0].likely_tokens = {{"\x7f", -1e-30f}, {"\xF0\x9F\x98\x80", 3e30f}};
  ItemRecord rater = make_item("a__rater 1");
  rater.annotator = "rater 1";
  rater.kind = LabelKind::SingleLabel;
  rater.predictions = {"fear"};
  rater.readouts = {make_readout("slot_trie")};
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
  const LoggedRun last = read_run(out);
  CHECK(last.index == 1);
  REQUIRE(last.items.size() == 3);
  for (std::size_t i = 0; i < items.size(); ++i) {
    INFO(keys[i]);
    CHECK(sorted(last.items[i]) == sorted(items[i]));
  }
  CHECK(read_run(out, 0).items.size() == 1);
  CHECK_THROWS_AS(read_run(out, 7), labelprobe::ConfigError);
  CHECK_THROWS_WITH(read_run(out, 7), ContainsSubstring("(there are: 0, 1)"));
}

TEST_CASE("Kinds of items come from what the run says it asked, not from ids that look like others",
          "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  // The first three are examples with such ids; of the run of binary items all are items.
  const std::vector<ItemRecord> examples = {make_item("x_binary_joy_fear"),
                                            make_item("x_unary_joy"), make_item("x_ratio_0.4"),
                                            make_item("y")};
  const LoggedRun plain = read_run(log_items(make_request(folder.path() / "plain"), examples));
  CHECK(plain.plan == "baseline");
  REQUIRE(plain.items.size() == 4);
  for (const ItemRecord& item : plain.items) {
    CHECK(&item.form() == &labelprobe::kPlainItems);
    CHECK(item.annotator == "aggregate");
  }
  RunRequest binary = make_request(folder.path() / "binary");
  binary.params[1].value = std::string("binary");
  const LoggedRun asked = read_run(log_items(binary, {make_item("x_unary_joy_binary_joy_fear")}));
  CHECK(&asked.items[0].form() == &labelprobe::kBinaryItems);
  CHECK(asked.items[0].annotator == "aggregate_binary_joy_fear");
}

TEST_CASE("What is read and written again is the same in both layouts", "[logged_run]") {
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
  checked.reported_probs = {{"fear", 0.25f}, {"joy", 1.0f}};
  checked.expected_probs = {{"fear", 0.3f}};
  checked.number_mass = {{"fear", 0.95f}};
  for (const bool is_plain : {false, true}) {
    const labelprobe::support::TempFolder one;
    const labelprobe::support::TempFolder two;
    std::vector<ItemRecord> items = {word, unanswered, many, checked};
    if (is_plain) {
      // Plain prompting logs neither breakdown prompts nor a stand-in for scores that are missing.
      items[0].key = "a", items[0].annotator = "aggregate";
      items[1].key = "b", items[1].annotator = "aggregate", items[1].stand_in_probs.clear();
      items[2].key = "c__r 1", items[2].annotator = "r 1";
    }
    RunRequest request = make_request(one.path());
    request.layout = is_plain ? labelprobe::record::kPlainLayout : labelprobe::record::LogLayout{};
    const fs::path first = log_items(request, items);
    std::vector<ItemRecord> read = read_run(first, std::nullopt, Annotators::All).items;
    if (is_plain) {
      std::swap(read[2], read[3]);  // the annotators' items come last
    }
    REQUIRE(read.size() == items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      INFO(items[i].key);
      ItemRecord expected = sorted(items[i]);
      expected.known_form = &labelprobe::kPlainItems;  // the run says that it is a baseline
      if (!is_plain) expected.annotator = "aggregate";
      CHECK(read[i] == expected);
    }
    request.log_root = two.path();
    const fs::path second = log_items(request, read);
    for (const char* name : {"indexed_metrics.yml", "annotator_preds.yml"}) {
      CHECK(labelprobe::support::read_file(first / name) ==
            labelprobe::support::read_file(second / name));
    }
  }
}

TEST_CASE("Reads the predictions of single annotators", "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  request.layout = labelprobe::record::kPlainLayout;
  const fs::path out =
      log_items(request, {make_item("a"), make_item("a__r 1"), make_item("b__r 1")});
  request = make_request(folder.path(), 1);
  request.layout = labelprobe::record::kPlainLayout;
  log_items(request, {make_item("a"), make_item("c__12")});
  const auto keys = [&](std::optional<int> index) {
    std::vector<std::string> found;
    for (const ItemRecord& item : read_run(out, index, Annotators::All).items) {
      found.push_back(item.key + " " + item.annotator);
    }
    return found;
  };
  CHECK(keys(0) == std::vector<std::string>{"a aggregate", "a__r 1 r 1", "b__r 1 r 1"});
  CHECK(keys(std::nullopt) == std::vector<std::string>{"a aggregate", "c__12 12"});
  CHECK(read_run(out, 0).items.size() == 1);

  fs::remove(out / "annotator_preds.yml");
  CHECK_THROWS_WITH(keys(0), ContainsSubstring("annotator_preds.yml: experiment_0 was finished"));
  fs::remove(out / "manifest.json");  // then it is a log of another program
  CHECK(keys(0) == std::vector<std::string>{"a aggregate"});
  std::ofstream(out / "annotator_preds.yml") << "experiment_0:\n  r1:\n    a: 5\n";
  CHECK_THROWS_AS(keys(0), labelprobe::DataError);
}

TEST_CASE("Reads a log that PyYAML wrote", "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  fs::copy(labelprobe::support::fixture("record/published_log.yml"),
           folder.path() / "indexed_metrics.yml");
  const auto log = read_run(folder.path());
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

TEST_CASE("A finished log that has lost or changed a byte is refused by name", "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  fs::path out;
  for (int seed = 0; seed < 2; ++seed) {
    labelprobe::record::RunRequest request = make_request(folder.path(), seed);
    request.layout = labelprobe::record::kPlainLayout;
    Run run = Run::open(request);
    ItemRecord rater = make_item("b__r");
    rater.annotator = "r";
    run.append(std::vector<ItemRecord>{make_item("a"), rater});
    run.finish(std::vector<std::string>{"a", "b__r"}, std::nullopt, {});
    out = run.folder();
  }
  const auto read = [&](int index) {
    return read_run(out, index, labelprobe::record::Annotators::All).items.size();
  };
  for (const char* name : {"indexed_metrics.yml", "annotator_preds.yml"}) {
    const std::string text = labelprobe::support::read_file(out / name);
    for (std::size_t n = 0; n < text.size(); n += 1 + text.size() / 60) {
      INFO(name << " cut to " << n);
      labelprobe::support::write_file(out / name, text.substr(0, n));
      REQUIRE_THROWS_AS(read(1), labelprobe::DataError);
      REQUIRE_THROWS_WITH(read(1), ContainsSubstring(std::string(name) +
                                                     ": experiment_1 was finished with 2 items"));
      std::string changed = text;
      changed[n] = static_cast<char>(changed[n] ^ 1);
      labelprobe::support::write_file(out / name, changed);
      const int index = n < text.size() / 2 ? 0 : 1;
      REQUIRE_THROWS_WITH(read(index), ContainsSubstring("found other bytes there"));
      REQUIRE(read(1 - index) == 2);
    }
    labelprobe::support::write_file(out / name, text);
  }
  // Without a manifest it is the log of another program, of which nothing is known.
  fs::remove(out / "manifest.json");
  CHECK(read(1) == 2);
}

TEST_CASE("A damaged log is named with line and field", "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  CHECK_THROWS_WITH(read_run(folder.path()), ContainsSubstring("found no indexed_metrics.yml"));
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
    CHECK_THROWS_AS(read_run(folder.path()), labelprobe::DataError);
    CHECK_THROWS_WITH(read_run(folder.path()), ContainsSubstring(finding));
  }
  for (const char* text :
       {"\n", "experiment_", "experiment_5", "experiment_99999999999999999999: {}\n", "x: 1"}) {
    write_log(folder.path(), text);
    CHECK_THROWS_AS(read_run(folder.path()), labelprobe::ConfigError);
  }
}

TEST_CASE("Reads a log of the version before label steps were kept", "[logged_run]") {
  const LoggedRun run = read_run(labelprobe::support::fixture("record/version_1"));
  CHECK(run.index == 0);
  CHECK(run.plan == "baseline");
  CHECK(run.model == "tests/fixtures/e2e/model");
  CHECK(run.params.at("shot") == "2");
  REQUIRE(run.items.size() == 2);
  const ItemRecord& item = run.items[1];
  CHECK(item.key == "x5yiix4");
  REQUIRE(item.label_steps.size() == 3);
  CHECK(item.label_steps[0].index == 5);
  CHECK_FALSE(item.label_steps[1].index.has_value());
  CHECK(item.label_steps[1].logits.empty());
  CHECK_FALSE(item.label_steps[0].log_sum_exp.has_value());
  CHECK(label_probs(item.label_steps[2])[4] == std::pair<std::string, float>("none", 0.9426609F));
  CHECK(item.likely_tokens().size() == 10);

  // What that version computed from the logits follows from them today, to the last bit.
  LabelStep step = item.label_steps[0];
  std::stable_partition(step.logits.begin(), step.logits.end(),
                        [](const auto& value) { return value.first != "none"; });
  step.logged_probs.clear();
  LabelValues probs = label_probs(step);
  std::sort(probs.begin(), probs.end());
  CHECK(probs == item.first_probs());
}

TEST_CASE("What a log says of its label steps must agree", "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  const auto read = [&](const std::string& entry) {
    write_log(folder.path(), "experiment_0:\n  a:\n" + entry);
    return read_run(folder.path()).items.at(0);
  };
  // Without test_all_scores, test_label_found tells a step from a stand-in.
  const std::string scores = "    test_scores: {joy: 0.25, fear: 0.75}\n";
  CHECK_FALSE(read(scores).is_label_found());
  CHECK_FALSE(read(scores + "    test_label_found: false\n").is_label_found());
  CHECK(read(scores).first_probs().size() == 2);
  const ItemRecord found =
      read(scores + "    test_label_found: true\n    test_logits: {joy: 1, fear: 2}\n");
  REQUIRE(found.is_label_found());
  CHECK(found.first_logits()[1].second == 2.0F);
  CHECK(found.first_probs()[1].second == 0.75F);
  CHECK(found.stand_in_probs.empty());

  CHECK_THROWS_WITH(read("    test_all_scores: [{joy: 1.0}]\n    test_label_found: false\n"),
                    ContainsSubstring("yml:4: test_label_found: expected true"));
  CHECK_THROWS_WITH(read("    test_all_scores: []\n    test_label_found: true\n"),
                    ContainsSubstring("yml:4: test_label_found: expected false"));
  CHECK_THROWS_WITH(read("    test_all_scores: [{joy: 1.0}]\n    test_label_steps: [{}, {}]\n"),
                    ContainsSubstring("yml:4: test_label_steps: expected as many steps"));
  CHECK_THROWS_WITH(read("    test_all_scores: []\n    test_label_steps: [{space: wide}]\n"),
                    ContainsSubstring("yml:4: test_label_steps: expected bare or spaced"));
}

TEST_CASE("Entries are found by their lines, and where that fails all at once", "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  const auto texts = [&](const std::string& log) {
    write_log(folder.path(), log);
    std::string found;
    for (const ItemRecord& item : read_run(folder.path(), 0).items) {
      found += item.key + "=" + item.query_text + ";";
    }
    return found;
  };
  const std::string long_key(200, 'k');
  CHECK(texts("experiment_0:\n  a:\n    test_text: 'one\n\n      two'\n  description: ''\n  b: "
              "{test_text: x}\n") == "a=one\ntwo;b=x;");
  CHECK(texts("experiment_0:\n    a:\n        test_text: deep\n    # a remark\n    b:\n"
              "        test_text: y\n") == "a=deep;b=y;");
  CHECK(texts("experiment_0:\n  ? " + long_key + "\n  : test_text: z\n  b: {test_text: y}\n") ==
        long_key + "=z;b=y;");
  CHECK(texts("experiment_0:\n  a: {test_text: &x same}\n  b: {test_text: *x}\n") ==
        "a=same;b=same;");
  CHECK(texts("experiment_0: {a: {test_text: flow}}\n") == "a=flow;");
  // The beginning of another experiment, whose process died.
  CHECK(texts("experiment_0:\n  a: {test_text: whole}\nexperim") == "a=whole;");
  CHECK_THROWS_WITH(texts("experiment_0:\n  a: {test_text: x}\n  b: {test_text: [}\n"),
                    ContainsSubstring("indexed_metrics.yml:3"));
  CHECK_THROWS_WITH(texts("experiment_0:\n  - a\n"), ContainsSubstring("expected a mapping"));
}

TEST_CASE("A run is named by its folder, or with one of its experiments", "[logged_run]") {
  const labelprobe::support::TempFolder folder;
  const fs::path runs = folder.path() / "runs";
  fs::create_directories(runs / "experiment_7");
  CHECK(parse_run_name(runs.string() + "/").folder == runs);
  CHECK_FALSE(parse_run_name(runs.string()).index.has_value());
  CHECK(parse_run_name((runs / "experiment_3").string()).folder == runs);
  CHECK(parse_run_name((runs / "experiment_3").string()).index == 3);
  CHECK(parse_run_name((runs / "experiment_3/").string()).index == 3);
  CHECK_FALSE(parse_run_name((runs / "experiment_7").string()).index.has_value());
  CHECK_FALSE(parse_run_name((runs / "experiment_x").string()).index.has_value());
  CHECK(parse_run_name("experiment_2").folder == ".");
  LoggedRun run;
  run.folder = "a/b/";
  run.index = 2;
  CHECK(describe(run) == "a/b, experiment 2");
}

TEST_CASE("A run of another data set's labels is told", "[logged_run]") {
  const labelprobe::LabelSet emotions({"joy", "fear"}, LabelKind::MultiLabel);
  LoggedRun run;
  run.folder = "logs/x_0";
  run.items = {make_item("a")};
  check_labels(run, "Emotions", emotions);
  run.items[0].label_steps[0].logged_probs.pop_back();
  run.items[0].label_steps[0].logged_probs.pop_back();
  CHECK_THROWS_WITH(check_labels(run, "Emotions", emotions),
                    ContainsSubstring("logs/x_0, experiment 0: item 'a' has no probability of "
                                      "'fear', which is a label of Emotions"));
  run.items = {make_word_item("a_unary_yoy")};
  CHECK_THROWS_WITH(check_labels(run, "Emotions", emotions),
                    ContainsSubstring("has the label 'yoy', which Emotions does not have") &&
                        ContainsSubstring("did you mean 'joy'?"));
}
