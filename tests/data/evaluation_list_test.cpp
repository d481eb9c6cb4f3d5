#include "labelprobe/data/evaluation_list.h"

#include "labelprobe/core/error.h"

#include "data/formula_set.h"
#include "support/catch.h"

namespace labelprobe::data {

TEST_CASE("Draws the evaluation lists that CPython draws", "[data]") {
  for (const nlohmann::json& expected : formula_cases()) {
    CAPTURE(expected.dump());
    const EvaluationList list = draw_evaluation_list(
        formula_set(expected), parse_list_rule(expected["rule"].get<std::string>()),
        expected["n"].get<int>(), expected["seed"].get<std::int64_t>());
    CHECK(list.example_ids == expected["ids"].get<std::vector<std::string>>());
    nlohmann::json cells = nlohmann::json::array();
    for (const ListCell& cell : list.cells) {
      cells.push_back({cell.group, cell.votes, cell.n_available, cell.n_wanted, cell.n_drawn});
    }
    CHECK(cells == expected["cells"]);
  }
}

TEST_CASE("Examples with fewer than two annotators are left out where votes count", "[data]") {
  const nlohmann::json formula = {
      {"is_multilabel", true}, {"n_labels", 4}, {"n_examples", 110}, {"annotators", true}};
  const Dataset dataset = formula_set(formula);
  // From 0 to 109: 10 multiples of 11 have none, 22 - 2 other multiples of 5 have one.
  CHECK(draw_evaluation_list(dataset, ListRule::Main, 80, 0).n_left_out == 30);
  CHECK(draw_evaluation_list(dataset, ListRule::MultiLabel, 10, 0).n_left_out == 0);
  CHECK_THROWS_WITH(draw_evaluation_list(dataset, ListRule::Main, 81, 0),
                    ContainsSubstring("expected at least 81 examples to draw from, found 80"));
}

TEST_CASE("A list that cannot be balanced is refused", "[data]") {
  nlohmann::json formula = {
      {"is_multilabel", false}, {"n_labels", 3}, {"n_examples", 30}, {"annotators", true}};
  Dataset dataset = formula_set(formula);
  CHECK_THROWS_WITH(draw_evaluation_list(dataset, ListRule::Main, 0, 0),
                    ContainsSubstring("at least 1, found 0"));
  CHECK_THROWS_WITH(draw_evaluation_list(dataset, ListRule::MultiLabel, 1, 0),
                    ContainsSubstring("one label per example; use rule main"));
  std::erase_if(dataset.examples, [](const Example& e) { return e.annotator == kAggregate; });
  CHECK_THROWS_WITH(draw_evaluation_list(dataset, ListRule::Main, 1, 0),
                    ContainsSubstring("expected annotation_mode both or aggregate"));
  CHECK_THROWS_WITH(parse_list_rule("mian"), ContainsSubstring("did you mean 'main'?"));
}

}  // namespace labelprobe::data
