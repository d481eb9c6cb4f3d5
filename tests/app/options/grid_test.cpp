#include "app/options/grid.h"

#include <algorithm>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::app {
namespace {

using Args = std::vector<std::string>;

// Options as runs have them, in their order.
struct Declared {
  Args texts;
  std::string text;
  std::optional<int> number;
  bool is_on = false;
  OptionList options;

  Declared() {
    options.add(texts, {.name = "train_splits"});
    options.add(texts, {.name = "test_splits"});
    options.add(texts, {.name = "test_ids_filename"});
    options.add(text, {.name = "annotation_mode", .fallback = "aggregate"});
    options.add_special(OptionKind::Range, nullptr, {.name = "test_debug_len"}, nothing);
    options.add_special(OptionKind::GridList, nullptr, {.name = "train_pred_log_dir"}, nothing);
    options.add(text, {.name = "subset"});
    options.add(text, {.name = "type"});
    options.add_special(OptionKind::TextOrFile, nullptr, {.name = "instruction_prompt"}, nothing);
    options.add(number, {.name = "shot"});
    options.add(number, {.name = "seed", .shorthand = {{"-1", {"0", "1", "2", "3", "4"}}}});
    options.add(text, {.name = "label_mode"});
    options.add(number, {.name = "label_randomization_seed"});
    options.add(number, {.name = "limit"});
    options.add(text, {.name = "model_name_or_path"});
    options.add(is_on, {.name = "accelerate"});
    options.add(text, {.name = "description", .is_of_grid = true});
  }

  static void nothing(const Given&) {}
};

// Values as from the command line.
GivenValues given(const std::map<std::string, Args>& values) {
  GivenValues made;
  for (const auto& [name, texts] : values) {
    made[name] = {texts, flag_of(name)};
  }
  return made;
}

std::vector<GivenValues> expand(const std::map<std::string, Args>& values) {
  return expand_values(Declared().options.options(), given(values));
}

// The values of some options in every setting.
std::vector<std::vector<Args>> table(const std::vector<GivenValues>& settings,
                                     const std::vector<std::string>& names) {
  std::vector<std::vector<Args>> rows;
  for (const GivenValues& setting : settings) {
    std::vector<Args> row;
    for (const std::string& name : names) {
      row.push_back(setting.at(name).values);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

// The texts of the words of each command line.
std::vector<Args> groups_of(const Args& args) {
  std::vector<Args> lines;
  for (const std::vector<Word>& line : expand_groups(args)) {
    Args& texts = lines.emplace_back();
    for (const Word& word : line) texts.push_back(word.text);
  }
  return lines;
}

}  // namespace

TEST_CASE("A command line without groups stands for itself", "[unit]") {
  const Args args = {"run",
                     "GoEmotions",
                     "--incontext-prompt",
                     "Input: {text}\n{label}",
                     "--seed",
                     "",
                     "{text}",
                     "a}",
                     "{b",
                     "{}"};
  CHECK(groups_of(args) == std::vector<Args>{args});
  CHECK(groups_of({}) == std::vector<Args>{{}});
}

TEST_CASE("Each group stands for a command line with the flags outside of it", "[unit]") {
  const std::vector<Args> expected = {{"run", "T", "--seed", "1", "--limit", "9", "--shot", "0"},
                                      {"run", "T", "--seed", "1", "--limit", "9", "--shot", "5"}};
  CHECK(groups_of({"run", "T", "--seed", "1", "{", "--shot", "0", "}", "{", "--shot", "5", "}",
                   "--limit", "9"}) == expected);
  // Braces may hug the first and the last argument.
  CHECK(groups_of({"run", "T", "--seed", "1", "{--shot", "0}", "{--shot", "5}", "--limit", "9"}) ==
        expected);
}

TEST_CASE("Groups hold groups", "[unit]") {
  // The count of the published parser's own example: (3 * (3 + 4) + 3) settings for each of two.
  const auto lines =
      groups_of({"run",    "--a", "1",     "2",    "{--b", "1",    "2",     "3",   "{--n",
                 "normal", "--d", "100",   "101",  "102}", "{--n", "maybe", "--d", "200",
                 "201",    "202", "203}}", "{--b", "4",    "5",    "6",     "--n", "other}"});
  const std::vector<Args> expected = {
      {"run", "--a", "1", "2", "--b", "1", "2", "3", "--n", "normal", "--d", "100", "101", "102"},
      {"run", "--a", "1", "2", "--b", "1", "2", "3", "--n", "maybe", "--d", "200", "201", "202",
       "203"},
      {"run", "--a", "1", "2", "--b", "4", "5", "6", "--n", "other"}};
  CHECK(lines == expected);
}

TEST_CASE("A word knows how many groups it stands in", "[unit]") {
  const auto lines = expand_groups({"run", "{", "--a", "1", "{--b", "2}", "}", "T"});
  std::vector<int> depths;
  for (const Word& word : lines.at(0)) depths.push_back(word.depth);
  CHECK(depths == std::vector<int>{0, 0, 1, 1, 2, 2});  // what stands outside comes first
}

TEST_CASE("A template inside a group keeps its braces", "[unit]") {
  CHECK(
      groups_of({"run", "{", "--query-prompt", "{text}", "}", "{--query-prompt", "{text}}"}) ==
      std::vector<Args>{{"run", "--query-prompt", "{text}"}, {"run", "--query-prompt", "{text}"}});
}

TEST_CASE("Braces without their partner are told", "[unit]") {
  CHECK_THROWS_WITH(groups_of({"run", "{", "--shot", "0"}), ContainsSubstring("not closed"));
  CHECK_THROWS_WITH(groups_of({"run", "--shot", "0", "}"}), ContainsSubstring("closes no group"));
  CHECK_THROWS_WITH(groups_of({"run", "{--shot", "0}}"}), ContainsSubstring("closes no group"));
  CHECK_THROWS_WITH(groups_of({"run", "{", "GoEmotions", "}"}),
                    ContainsSubstring("expected a flag first in a group in { }, found "
                                      "'GoEmotions'"));
  CHECK_THROWS_WITH(groups_of(Args(1000, "{")), ContainsSubstring("deep"));
}

TEST_CASE("Several values are combined, the first option of the table changing fastest", "[unit]") {
  // Declared: shot, then seed, then the model.
  const auto settings = expand(
      {{"seed", {"1", "2"}}, {"model_name_or_path", {"A", "B"}}, {"shot", {"0", "5", "10"}}});
  const std::vector<std::vector<Args>> expected = {
      {{"0"}, {"1"}, {"A"}}, {{"5"}, {"1"}, {"A"}}, {{"10"}, {"1"}, {"A"}},
      {{"0"}, {"2"}, {"A"}}, {{"5"}, {"2"}, {"A"}}, {{"10"}, {"2"}, {"A"}},
      {{"0"}, {"1"}, {"B"}}, {{"5"}, {"1"}, {"B"}}, {{"10"}, {"1"}, {"B"}},
      {{"0"}, {"2"}, {"B"}}, {{"5"}, {"2"}, {"B"}}, {{"10"}, {"2"}, {"B"}}};
  CHECK(table(settings, {"shot", "seed", "model_name_or_path"}) == expected);
}

TEST_CASE("Lists by nature stay whole, lists of a grid are separated by bars", "[unit]") {
  const auto settings = expand({{"test_splits", {"dev", "test"}},
                                {"test_debug_len", {"2", "5"}},
                                {"train_pred_log_dir", {"a|b", "c"}}});
  const std::vector<std::vector<Args>> expected = {{{"dev", "test"}, {"2", "5"}, {"a", "b"}},
                                                   {{"dev", "test"}, {"2", "5"}, {"c"}}};
  CHECK(table(settings, {"test_splits", "test_debug_len", "train_pred_log_dir"}) == expected);
}

TEST_CASE("The word for unset leaves no value, in a grid too", "[unit]") {
  const auto settings =
      expand({{"label_mode", {"_None_", "random"}}, {"test_ids_filename", {"_None_"}}});
  CHECK(table(settings, {"label_mode", "test_ids_filename"}) ==
        std::vector<std::vector<Args>>{{{}, {}}, {{"random"}, {}}});
}

// A config file may say `shot: []`.
TEST_CASE("An empty list leaves no value and the other options their grid", "[unit]") {
  const auto settings = expand({{"shot", {}}, {"seed", {"1", "2"}}});
  CHECK(table(settings, {"shot", "seed"}) ==
        std::vector<std::vector<Args>>{{{}, {"1"}}, {{}, {"2"}}});
}

TEST_CASE("References take the value of their own setting", "[unit]") {
  const auto settings = expand({{"seed", {"7", "8"}},
                                {"label_randomization_seed", {"args.seed"}},
                                {"limit", {"args.label-randomization-seed"}},
                                {"test_splits", {"dev", "test"}},
                                {"train_splits", {"args.test_splits"}},
                                {"description", {"args.annotation_mode"}},
                                {"subset", {"args.type"}}});
  REQUIRE(settings.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const Args seed = {i == 0 ? "7" : "8"};
    CHECK(settings[i].at("label_randomization_seed").values == seed);
    CHECK(settings[i].at("limit").values == seed);
    CHECK(settings[i].at("train_splits").values == Args{"dev", "test"});
    CHECK(settings[i].at("description").values == Args{"aggregate"});  // the default
    CHECK(settings[i].at("subset").values.empty());                    // of an option without any
  }
  CHECK_THROWS_WITH(
      expand({{"limit", {"args.sho"}}}),
      ContainsSubstring("--limit: args.sho") && ContainsSubstring("did you mean 'shot'"));
  CHECK_THROWS_WITH(expand({{"limit", {"args.shot"}}, {"shot", {"args.limit"}}}),
                    ContainsSubstring("leads back to"));
}

TEST_CASE("Seed -1 stands for five seeds", "[unit]") {
  CHECK(table(expand({{"seed", {"-1"}}}), {"seed"}) ==
        std::vector<std::vector<Args>>{{{"0"}}, {{"1"}}, {{"2"}}, {{"3"}}, {{"4"}}});
  CHECK(expand({{"seed", {"9", "-1"}}}).size() == 6);
  CHECK(table(expand({{"shot", {"-1"}}}), {"shot"}) == std::vector<std::vector<Args>>{{{"-1"}}});
}

TEST_CASE("A grid is bounded", "[unit]") {
  const Args many(101, "1");
  CHECK(expand({{"seed", many}}).size() == 101);
  CHECK_THROWS_WITH(expand({{"seed", many}, {"shot", many}}),
                    ContainsSubstring("more than 10000 settings"));
}

TEST_CASE("Only options that have one value and decide what is computed span a grid", "[unit]") {
  const Declared declared;
  std::string spanning;
  for (const Option& option : declared.options.options()) {
    spanning += option.spans_grid() ? std::string(option.info.name) + " " : "";
  }
  CHECK(spanning ==
        "annotation_mode train_pred_log_dir subset type instruction_prompt shot seed label_mode "
        "label_randomization_seed limit model_name_or_path ");
}

TEST_CASE("Settings are told by what differs in them", "[unit]") {
  std::vector<std::vector<record::Param>> settings;
  for (const GivenValues& values :
       expand({{"shot", {"0", "5"}},
               {"label_mode", {"_None_", "random"}},
               {"limit", {"3"}},
               {"instruction_prompt",
                {"A", "Classify the following inputs into one of {labels}."}}})) {
    Declared declared;
    declared.options.fill(values);
    settings.push_back(declared.options.params());
  }
  const std::vector<std::string> differences = describe_differences(settings);
  REQUIRE(differences.size() == 8);
  CHECK(differences[0] == "instruction_prompt A, shot 0, label_mode unset");
  CHECK(differences[3] ==
        "instruction_prompt 'Classify the following inputs into ...', shot 5, label_mode unset");
  CHECK(differences[7].ends_with("shot 5, label_mode random"));
  CHECK(describe_differences(std::span(settings).first(1)) == std::vector<std::string>{""});
}

}  // namespace labelprobe::app
