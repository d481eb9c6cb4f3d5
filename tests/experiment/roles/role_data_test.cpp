// What is told of a role's examples: to people in tables, to programs as JSON.
#include "labelprobe/experiment/role_data.h"

#include <sstream>

#include <nlohmann/json.hpp>

#include "data/small_root.h"
#include "support/catch.h"

namespace labelprobe::experiment {
namespace {

RoleData load_small(const data::SmallGoEmotions& root, data::AnnotationMode mode) {
  data::DatasetOptions options = root.options({"train"});
  options.annotation_mode = mode;
  return load_role("GoEmotions", "train", options);
}

TEST_CASE("A role is told with its raters where they were read", "[experiment]") {
  const data::SmallGoEmotions root;
  const RoleData role = load_small(root, data::AnnotationMode::Both);
  std::ostringstream out;
  print_role(out, role);
  CHECK_THAT(out.str(), ContainsSubstring("GoEmotions, train: 6 items of 2 examples, 27 labels"));
  CHECK_THAT(out.str(), ContainsSubstring("label           items  share  votes  share  agreement"));
  CHECK_THAT(out.str(), ContainsSubstring("joy                 1  50.0%      1  25.0%      50.0%"));
  CHECK_THAT(out.str(), ContainsSubstring("the most productive: 7 (2), 9 (1), 5 (1)"));

  const nlohmann::ordered_json json = describe_role(role, 1);
  CHECK(json["role"] == "train");
  CHECK(json["aggregate"]["labels"]["joy"] == 1);
  CHECK(json["annotated"]["n_items"] == 4);
  CHECK(json["annotators"]["7"] == 2);
  CHECK(json["agreement"]["n_disputed"] == 2);
  CHECK(json["items"].size() == 1);
}

TEST_CASE("A role without raters says so", "[experiment]") {
  const data::SmallGoEmotions root;
  const RoleData role = load_small(root, data::AnnotationMode::Aggregate);
  std::ostringstream out;
  print_role(out, role);
  CHECK_THAT(out.str(), ContainsSubstring("annotators: not read"));

  const nlohmann::ordered_json json = describe_role(role, 0);
  CHECK(json["annotated"].is_null());
  CHECK(json["agreement"].is_null());
  CHECK(!json.contains("items"));
}

TEST_CASE("An item names its annotator, the aggregate none", "[experiment]") {
  const data::SmallGoEmotions root;
  const RoleData role = load_small(root, data::AnnotationMode::Both);
  const LabelSet& label_set = role.dataset.label_set;
  bool has_rater = false;
  for (const Example& example : role.dataset.examples) {
    const nlohmann::ordered_json item = describe_item(example, label_set);
    CHECK(item["id"] == example.example_id);
    CHECK(item["labels"] == label_set.names_of(example.labels));
    CHECK(item.contains("annotator") == (example.annotator != kAggregate));
    has_rater = has_rater || item.contains("annotator");
  }
  CHECK(has_rater);
}

}  // namespace
}  // namespace labelprobe::experiment
