#include <algorithm>
#include <sstream>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/queries.h"

#include "prompt/toys.h"
#include "support/catch.h"

namespace labelprobe::prompt {
namespace {

using Ids = std::vector<std::string>;
using Rows = std::vector<std::string>;

const std::vector<Example> kBreakdownQueries = {
    {"de0", "aggregate", "Can I speak to the manager?", {3}}};

std::vector<Query> make_worked_example(MakeQueries make) {
  return make({toy_go_emotions(), kBreakdownQueries, toy_go_emotions_labels(), pipeline_options()});
}

TEST_CASE("Writes the published unary prompt byte for byte", "[breakdown]") {
  const std::vector<Query> made = make_worked_example(make_unary);
  REQUIRE(made.size() == 8);
  CHECK(
      made[0].text ==
      R"(Classify the following question-label pairs as either "reasonable" or "unreasonable". Output either "reasonable" or "unreasonable" and nothing else.

Question: Well done, I am proud and happy
Label: anger
Is the label reasonable: unreasonable

Question: What a lovely day!
Label: joy
Is the label reasonable: reasonable

Question: He is a hero, good luck to him
Label: admiration
Is the label reasonable: reasonable

Question: Why would he do that?
Label: optimism
Is the label reasonable: unreasonable

Question: Can I speak to the manager?
Label: joy
Is the label reasonable: )");
  CHECK(made[0].item.id() == "de0__aggregate_unary_joy");
  CHECK(made[0].item.log_key() == "de0_unary_joy");
  CHECK(made[7].item.id() == "de0__aggregate_unary_none");
  CHECK(made[7].text.ends_with("Label: none\nIs the label reasonable: "));
  CHECK(made[3].query_text == "Can I speak to the manager?");
  CHECK(made[3].gold == Labels{3});
  CHECK(made[3].demonstration_ids == Ids{"t8", "t0", "t11", "t6"});
}

TEST_CASE("Writes the published binary prompt byte for byte", "[breakdown]") {
  const std::vector<Query> made = make_worked_example(make_binary);
  REQUIRE(made.size() == 28);
  CHECK(
      made[9].text ==
      R"(Classify the following question into one of the two following labels. Output either "a" or "b" depending on which label is better and nothing else.

Question: Well done, I am proud and happy
a. fear
b. admiration
Correct Label: b

Question: What a lovely day!
a. joy
b. sadness
Correct Label: a

Question: He is a hero, good luck to him
a. joy
b. optimism
Correct Label: b

Question: Why would he do that?
a. sadness
b. surprise
Correct Label: b

Question: Can I speak to the manager?
a. optimism
b. fear
Correct Label: )");
  CHECK(made[9].item.id() == "de0__aggregate_binary_optimism_fear");
  CHECK(made[0].item.log_key() == "de0_binary_joy_optimism");
  CHECK(made[27].item.log_key() == "de0_binary_anger_none");
}

TEST_CASE("Draws the published demonstrations of the ratio prompts, whatever the strategy",
          "[breakdown]") {
  const std::vector<std::pair<std::string, Ids>> expected = {
      {"0.0", {"t7", "t0", "t10", "t5"}}, {"0.2", {"t7", "t0", "t10", "t5"}},
      {"0.4", {"t8", "t0", "t7", "t5"}},  {"0.6", {"t8", "t0", "t11", "t6"}},
      {"0.8", {"t8", "t1", "t11", "t6"}}, {"1.0", {"t8", "t1", "t11", "t2"}},
  };
  QueryOptions options = pipeline_options();
  options.sampling = SamplingStrategy::parse(GENERATE("random", "uniform", "multilabel_0.3"));
  std::vector<Example> queries = kBreakdownQueries;
  queries.push_back({"de1", "r1", "And another", {}});
  const std::vector<Query> made =
      make_multilabel_icl({toy_go_emotions(), queries, toy_go_emotions_labels(), options});
  REQUIRE(made.size() == 12);
  for (std::size_t i = 0; i < made.size(); ++i) {
    const auto& [ratio, ids] = expected[i % 6];
    CAPTURE(i);
    CHECK(made[i].demonstration_ids == ids);
    CHECK(made[i].item.id() ==
          (i < 6 ? "de0__aggregate_ratio_" + ratio : "de1__r1_ratio_" + ratio));
  }
  // The text is the baseline's at that share.
  options.sampling = SamplingStrategy::parse("multilabel_0.4");
  CHECK(made[2].text ==
        make_baseline({toy_go_emotions(), queries, toy_go_emotions_labels(), options})[0].text);
}

TEST_CASE("Ratio prompts are for multi-label sets", "[breakdown]") {
  CHECK_THROWS_WITH(
      make_multilabel_icl({toy_s(), kBreakdownQueries, toy_s_labels(), pipeline_options()}),
      ContainsSubstring("distribution multilabel_ICL: expected a data set with several labels per "
                        "example, found a single-label one"));
}

// The demonstrations of a breakdown prompt, one line each: what follows every line's colon or dot.
Rows demonstrations_of(const std::string& prompt, std::size_t n_lines) {
  std::istringstream text(prompt);
  std::string line;
  std::getline(text, line);  // the instruction
  std::vector<Rows> blocks;
  while (std::getline(text, line)) {
    if (line.empty()) {
      blocks.emplace_back();
      continue;
    }
    line.erase(0, line.find_first_of(":.") + 2);
    blocks.back().push_back(line.starts_with("text ") ? line.substr(5) : line);
  }
  Rows rows;
  for (const Rows& block : blocks) {
    if (block.size() == n_lines && &block != &blocks.back()) {
      std::string row = block[0];
      for (std::size_t i = 1; i < n_lines; ++i) {
        row += " " + block[i];
      }
      rows.push_back(row);
    }
  }
  return rows;
}

Rows draw_toy(MakeQueries make, int n_shots, std::int64_t seed) {
  QueryOptions options;
  options.sampling = SamplingStrategy::parse("multilabel");
  options.n_shots = n_shots;
  options.seed = seed;
  const std::vector<Example> queries = {{"q", "aggregate", "query", {}}};
  return demonstrations_of(make({toy_m(), queries, toy_m_labels(), options})[0].text,
                           make == make_unary ? 3 : 4);
}

TEST_CASE("Draws the published labels of unary demonstrations", "[breakdown]") {
  CHECK(draw_toy(make_unary, 10, 0) ==
        Rows{"58 d reasonable", "18 none unreasonable", "38 c reasonable", "52 b unreasonable",
             "5 none unreasonable", "41 none unreasonable", "47 d reasonable", "26 c reasonable",
             "24 a reasonable", "49 a unreasonable"});
  CHECK(draw_toy(make_unary, 5, 0) == Rows{"38 a reasonable", "1 b reasonable", "41 a unreasonable",
                                           "31 d unreasonable", "16 d reasonable"});
  CHECK(draw_toy(make_unary, 5, 1) == Rows{"49 b reasonable", "56 b unreasonable",
                                           "48 a reasonable", "54 none unreasonable",
                                           "14 none unreasonable"});
}

TEST_CASE("Draws the published labels of binary demonstrations", "[breakdown]") {
  CHECK(draw_toy(make_binary, 10, 0) == Rows{"58 d c a", "18 a d a", "38 a d a", "52 d none a",
                                             "5 d none a", "41 d a a", "47 a c b", "26 b c b",
                                             "24 c a b", "49 c b b"});
}

TEST_CASE("Makes as many items as labels and pairs of labels", "[breakdown]") {
  struct Counts {
    int n_labels;
    LabelKind kind;
    std::size_t n_unary;
    std::size_t n_binary;
  };
  for (const Counts& counts : {Counts{7, LabelKind::MultiLabel, 8, 28},       // GoEmotions
                               Counts{6, LabelKind::MultiLabel, 7, 21},       // MFRC
                               Counts{3, LabelKind::SingleLabel, 3, 3},       // Hatexplain
                               Counts{8, LabelKind::SingleLabel, 8, 28},      // MSP-Podcast
                               Counts{11, LabelKind::MultiLabel, 12, 66}}) {  // SemEval
    CAPTURE(counts.n_labels);
    Ids names;
    for (int label = 0; label < counts.n_labels; ++label) {
      names.push_back("label" + std::to_string(label));
    }
    const LabelSet label_set(names, counts.kind);
    const std::vector<Example> queries = {toy_example(0, {0}), toy_example(1, {1})};
    const QueryOptions options;
    CHECK(make_unary({{}, queries, label_set, options}).size() == 2 * counts.n_unary);
    CHECK(make_binary({{}, queries, label_set, options}).size() == 2 * counts.n_binary);
  }
}

TEST_CASE("Refuses labels that the ids of unary and binary items cannot hold", "[breakdown]") {
  const LabelSet label_set({"no_harm", "harm"}, LabelKind::SingleLabel);
  const QueryOptions options;
  const MakeQueries make = GENERATE(make_unary, make_binary);
  CHECK_THROWS_WITH(make({{}, kBreakdownQueries, label_set, options}),
                    "the label 'no_harm' has an underscore, which the ids of unary and binary "
                    "items cannot hold");
}

TEST_CASE("Never shows none as the wrong label of an example without labels", "[breakdown]") {
  const LabelSet label_set({"a"}, LabelKind::MultiLabel);
  std::vector<Example> train;
  for (int i = 0; i < 8; ++i) {
    train.push_back(toy_example(i, i % 2 == 0 ? Labels{} : Labels{0}));
  }
  QueryOptions options;
  options.n_shots = 8;
  const std::vector<Example> queries = {{"q", "aggregate", "query", {}}};
  int n_without_labels = 0;
  for (options.seed = 0; options.seed < 20; ++options.seed) {
    const auto prompt = [&](MakeQueries make) {
      return make({train, queries, label_set, options})[0].text;
    };
    for (const std::string& row : demonstrations_of(prompt(make_unary), 3)) {
      const bool has_labels = (row[0] - '0') % 2 == 1;
      n_without_labels += has_labels ? 0 : 1;
      const bool shows_right = row.ends_with(" reasonable");
      CHECK(row.find(has_labels == shows_right ? " a " : " none ") != std::string::npos);
    }
    for (const std::string& row : demonstrations_of(prompt(make_binary), 4)) {
      const bool has_labels = (row[0] - '0') % 2 == 1;
      CHECK(row.substr(1) == (has_labels == row.ends_with(" a") ? " a none " : " none a ") +
                                 row.substr(row.size() - 1));
    }
  }
  CHECK(n_without_labels == 80);
}

TEST_CASE("Every item of a query has its demonstrations; fresh ones change with the query",
          "[breakdown]") {
  const MakeQueries make = GENERATE(make_unary, make_binary);
  QueryOptions options;
  options.n_shots = 6;
  options.demonstrations = GENERATE(DemonstrationMode::Shared, DemonstrationMode::Fresh);
  const std::vector<Example> queries = {toy_example(100, {0}), toy_example(101, {0})};
  const std::vector<Query> made = make({toy_m(), queries, toy_m_labels(), options});
  const std::size_t n_items = made.size() / 2;
  const auto beginning = [&](const Query& query) {
    return query.text.substr(0, query.text.find("Question: " + query.query_text));
  };
  for (std::size_t i = 0; i < n_items; ++i) {
    CHECK(beginning(made[i]) == beginning(made[0]));
    CHECK(beginning(made[n_items + i]) == beginning(made[n_items]));
    CHECK(made[i].demonstration_ids == made[0].demonstration_ids);
  }
  CHECK((beginning(made[0]) == beginning(made[n_items])) ==
        (options.demonstrations == DemonstrationMode::Shared));
}

TEST_CASE("Makes all binary prompts of a large set", "[breakdown]") {
  std::vector<Example> train;
  for (int i = 0; i < 43410; ++i) {
    train.push_back(toy_example(i, i % 6 == 0 ? Labels{0, 2} : Labels{i % 7}));
  }
  std::vector<Example> queries;
  for (int i = 0; i < 231; ++i) {
    queries.push_back(toy_example(i, {0}));
  }
  QueryOptions options;
  options.n_shots = 10;
  options.sampling = SamplingStrategy::parse("multilabel");
  CHECK(make_binary({train, queries, toy_go_emotions_labels(), options}).size() == 6468);
}

}  // namespace
}  // namespace labelprobe::prompt
