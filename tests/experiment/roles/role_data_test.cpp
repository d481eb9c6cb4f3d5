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

TEST_CASE("A role with soft labels shows their means and those of its items", "[experiment]") {
  data::SmallRoot root;
  root.write("soft.csv", "id,text,joy,fear\na,A,0.25,0.75\nb,B,1,0\nc,C,0.5,0\n");
  const std::string task = root.write(
      "soft.yaml", "files: soft.csv\nid: id\ntext: text\nlabels: {columns: [joy, fear]}\n");
  const RoleData role = load_role(task, "test", root.options({"all"}));
  std::ostringstream out;
  print_role(out, role);
  CHECK_THAT(out.str(), ContainsSubstring("label       items  share  soft label"));
  CHECK_THAT(out.str(), ContainsSubstring("joy             2  66.7%       58.3%"));
  CHECK_THAT(out.str(), ContainsSubstring("fear            1  33.3%       25.0%"));
  CHECK_THAT(out.str(), ContainsSubstring("soft labels: 3 of 3 examples have shares in place of "
                                          "votes (in the table: their means)"));
  CHECK_THAT(out.str(), !ContainsSubstring("no label: "));
  CHECK(describe_shares(role, "a") == "joy 0.25, fear 0.75");
  CHECK(describe_shares(role, "b") == "joy 1.00");
  CHECK(describe_shares(role, "x").empty());
  const nlohmann::ordered_json json = describe_role(role, 1);
  CHECK(json["soft_labels"]["mean_shares"]["fear"] == 0.25);
  CHECK(json["items"][0]["shares"]["fear"] == 0.75);
  const data::SmallGoEmotions other;
  CHECK(describe_role(load_small(other, data::AnnotationMode::Both), 0)["soft_labels"].is_null());
}

TEST_CASE("A role tells what its data call no label, and what prompts call it", "[experiment]") {
  data::SmallRoot root;
  root.write("own.csv", "id,text,labels\na,A,joy\nb,B,nil\n");
  const std::string task = root.write("own.yaml",
                                      "files: own.csv\nid: id\ntext: text\nnone_word: [nil, na]\n"
                                      "labels: {column: labels, separator: ','}\n");
  const RoleData role = load_role(task, "test", root.options({"all"}));
  std::ostringstream out;
  print_role(out, role);
  CHECK_THAT(out.str(),
             ContainsSubstring("  no label: the data say 'nil' or 'na'; prompts, answers "
                               "and logs say 'none'\n"));
  CHECK(describe_role(role, 0)["none_words"].size() == 2);
}

TEST_CASE("An item names its annotator, the aggregate none", "[experiment]") {
  const data::SmallGoEmotions root;
  const RoleData role = load_small(root, data::AnnotationMode::Both);
  const LabelSet& label_set = role.dataset.label_set;
  bool has_rater = false;
  for (const Example& example : role.dataset.examples) {
    const nlohmann::ordered_json item = describe_item(example, role);
    CHECK(item["id"] == example.example_id);
    CHECK(item["labels"] == label_set.names_of(example.labels));
    CHECK(item.contains("annotator") == (example.annotator != kAggregate));
    has_rater = has_rater || item.contains("annotator");
  }
  CHECK(has_rater);
}

TEST_CASE("An item with soft labels has each label's share, and is read back with them",
          "[experiment]") {
  data::SmallRoot root;
  root.write("s.csv", "id,text,joy,fear\na,x,0.25,0.75\nb,y,0.5,0.5\n");
  const std::string task = root.write(
      "s.yaml", "files: s.csv\nid: id\ntext: text\nlabels: {columns: [joy, fear], above: 0.6}\n");
  const RoleData role = load_role(task, "test", root.options({"all"}));
  std::string lines;
  for (const Example& example : role.dataset.examples) {
    lines += describe_item(example, role).dump() + "\n";
  }
  CHECK(lines == R"({"id":"a","text":"x","labels":["fear"],"shares":{"joy":0.25,"fear":0.75}})"
                 "\n"
                 R"({"id":"b","text":"y","labels":[],"shares":{"joy":0.5,"fear":0.5}})"
                 "\n");
  // Objects have no order: the labels are in that of their names.
  const RoleData again = load_role(root.write("again.jsonl", lines), "test", root.options({"all"}));
  REQUIRE(again.dataset.label_set.names() == std::vector<std::string>{"fear", "joy"});
  CHECK(again.shares == data::LabelShares{{"a", {0.75, 0.25}}, {"b", {0.5, 0.5}}});
  CHECK(describe_item(again.dataset.examples.at(0), again)["labels"] ==
        std::vector<std::string>{"fear"});
  CHECK(describe_item(again.dataset.examples.at(1), again)["labels"].empty());
}

}  // namespace
}  // namespace labelprobe::experiment
