#include "data/forms/known_tables.h"

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_draft.h"

#include "data/small_root.h"
#include "support/errors.h"

namespace labelprobe::data {
namespace {

using nlohmann::json;

// The columns of a table's rows after it was brought into form.
json formed(const std::string& path, TableForm expected, const std::vector<std::string>& columns) {
  files::Table table = files::read_table(path);
  REQUIRE(form_of(table) == expected);
  bring_into_form(expected, table);
  json rows = json::array();
  for (const auto& row : table.rows) {
    rows.push_back(json::array());
    for (const std::string& column : columns) rows.back().push_back(row[table.column(column)]);
  }
  return rows;
}

// The lines of the task file behind `files`.
std::string task_of(const std::string& path) {
  const std::string text = known_task(path).text;
  return text.substr(text.find('\n', text.find("files:")) + 1);
}

// As the shared task of 2023 published it.
constexpr const char* kOf2023 = R"({
  "1": {"text": "so what", "annotation task": "hate speech detection", "number of annotations": 3,
        "annotations": "1,0,1", "annotators": "Ann1,Ann2,Ann3", "lang": "en", "hard_label": "1",
        "soft_label": {"0": 0.33, "1": 0.67}, "split": "train", "other_info": {}},
  "2": {"text": "fine", "annotation task": "hate speech detection", "number of annotations": 2,
        "annotations": "0,-1", "annotators": "Ann1,Ann4", "lang": "en", "hard_label": "0",
        "soft_label": {"0": 1.0, "1": 0.0}, "split": "train", "other_info": {}}
})";

// As that of 2025 did: votes by annotator, several labels a vote in one of its sets.
constexpr const char* kOf2025 = R"({
  "0": {"annotation task": "natural language inference",
        "text": {"context": "It rains.", "statement": "It is wet."}, "number of annotators": 2,
        "annotators": "Ann2,Ann10", "number of annotations": 2,
        "annotations": {"Ann10": "entailment", "Ann2": "entailment,neutral"},
        "soft_label": {"neutral": {"0": 0.5, "1": 0.5}}, "split": "dev", "lang": "en"},
  "1": {"annotation task": "natural language inference", "text": {"context": "a", "statement": "b"},
        "number of annotators": 0, "annotators": "", "number of annotations": 0, "annotations": {},
        "soft_label": {}, "split": "dev", "lang": "en"}
})";

}  // namespace

TEST_CASE("LeWiDi's votes become lists", "[data]") {
  SmallRoot root;
  CHECK(formed(root.write("a.json", kOf2023), TableForm::LeWiDi, {"annotators", "annotations"}) ==
        json::parse(R"([[["Ann1", "Ann2", "Ann3"], ["1", "0", "1"]],
                        [["Ann1", "Ann4"], ["0", "-1"]]])"));
  CHECK(formed(root.write("b.json", kOf2025), TableForm::LeWiDi, {"annotators", "annotations"}) ==
        json::parse(R"([[["Ann2", "Ann10"], [["entailment", "neutral"], ["entailment"]]],
                        [[], []]])"));
}

TEST_CASE("LeWiDi's files describe themselves", "[data]") {
  SmallRoot root;
  const std::string path = root.write("hs_brexit.json", kOf2023);
  CHECK(known_task(path).form == "LeWiDi JSON");
  CHECK_FALSE(known_task(path).is_guessed);
  CHECK(
      task_of(path) ==
      "format: lewidi\nsplit: {column: split}\nid: \"{split}-{id}\"\ntext: text\n"
      "votes: {annotator: annotators, labels: {class: annotations}}\nlabel_names: [\"-1\", \"0\", "
      "\"1\"]\n");
  CHECK(task_of(root.write("nli.json", kOf2025)) ==
        "format: lewidi\nsplit: {column: split}\nid: \"{split}-{id}\"\n"
        "text: \"{text.context}\\n{text.statement}\"\n"
        "votes: {annotator: annotators, labels: {column: annotations}}\n"
        "label_names: [entailment, neutral]\n");
}

TEST_CASE("LeWiDi's files are read as they are", "[data]") {
  SmallRoot root;
  DatasetOptions options;
  options.splits = {"train"};
  options.annotation_mode = AnnotationMode::Both;
  const Dataset read = load(root.write("hs.json", kOf2023), options);
  std::vector<std::string> items;
  for (const Example& example : read.examples) {
    items.push_back(example.id() + " " + read.label_set.names_of(example.labels).at(0));
  }
  CHECK(read.name == "hs");
  CHECK(items == std::vector<std::string>{"train-1__Ann1 1", "train-2__Ann1 0", "train-1__Ann2 0",
                                          "train-1__Ann3 1", "train-1__aggregate 1",
                                          "train-2__aggregate 0", "train-2__Ann4 -1"});
  options.splits = {"dev"};
  const Dataset lists = load(root.write("nli.json", kOf2025), options);
  CHECK(lists.examples.at(0).text == "It rains.\nIt is wet.");
  CHECK(lists.label_set.names_of(lists.examples.at(0).labels).size() == 2);
}

TEST_CASE("Votes that do not fit their annotators are refused", "[data]") {
  SmallRoot root;
  const auto message = [&](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    const std::string path = root.write("a.json", text);
    return support::message_of<DataError>([&] { known_task(path); });
  };
  CHECK_THAT(message(kOf2023, "1,0,1", "1,0"),
             ContainsSubstring("a.json:2: expected 'annotations' of the 3 annotators in "
                               "'annotators', found 2"));
  CHECK_THAT(message(kOf2025, "Ann2,Ann10", "Ann2,Ann3"),
             ContainsSubstring("a.json:2: expected 'annotations' of the 2 annotators"));
}

TEST_CASE("BRIGHTER's emotions and their intensities describe themselves", "[data]") {
  SmallRoot root;
  const std::string path =
      root.write("eng_a.csv",
                 "id,text,anger,fear,joy,sadness,surprise\ne1,oh no,0,3,0,1,2\ne2,ok,0,0,0,0,0\n");
  CHECK(task_of(path) ==
        "format: brighter\nid: id\ntext: text\nlabels: {columns: [anger, fear, joy, sadness, "
        "surprise]}\n");
  CHECK(formed(path, TableForm::Brighter, {"fear", "joy", "sadness", "surprise"}) ==
        json::parse(R"([[1, "0", "1", 1], ["0", "0", "0", "0"]])"));
}

TEST_CASE("What the program writes about a data set describes itself", "[data]") {
  SmallRoot root;
  const std::string plain =
      root.write("a.jsonl", R"({"id": "x", "text": "a", "labels": ["joy"], "role": "train"}
{"id": "y", "text": "b", "labels": [], "role": "test"}
)");
  CHECK(task_of(plain) ==
        "format: labelprobe\nsplit: {column: role}\nid: id\ntext: text\n"
        "labels: {column: labels}\n");
  const std::string voted =
      root.write("b.jsonl", R"({"id": "x", "text": "a", "labels": ["joy"], "annotator": "w1"}
{"id": "y", "text": "b", "labels": ["fear"], "annotator": "w1"}
{"id": "x", "text": "a", "labels": ["fear"], "annotator": "w2"}
{"id": "x", "text": "a", "labels": ["joy"]}
)");
  CHECK(formed(voted, TableForm::Labelprobe, {"id", "labels", "annotators", "votes"}) ==
        json::parse(R"([["x", ["joy"], ["w1", "w2"], [["joy"], ["fear"]]],
                        ["y", null, ["w1"], [["fear"]]]])"));
  CHECK(task_of(voted) ==
        "format: labelprobe\nid: id\ntext: text\nlabels: {class: labels}\n"
        "votes: {annotator: annotators, labels: {class: votes}}\n");
}

TEST_CASE("Soft labels that the program has written describe themselves", "[data]") {
  SmallRoot root;
  const auto task = [&](const std::string& lines) { return task_of(root.write("a.jsonl", lines)); };
  const std::string above =
      R"({"id": "x", "text": "a", "labels": ["joy"], "shares": {"joy": 0.4, "a.b": 0.3}}
{"id": "y", "text": "b", "labels": ["joy", "a.b"], "shares": {"joy": 0.5, "a.b": 0.5}}
)";
  const std::string columns = "columns: {a.b: share of a.b, joy: share of joy}";
  const std::string begin = "format: labelprobe\nid: id\ntext: text\nlabels: {" + columns;
  CHECK(task(above) == begin + ", at_least: 0.4}\n");
  CHECK(formed(root.write("b.jsonl", above), TableForm::Labelprobe, {"share of a.b"}) ==
        json::parse("[[0.3], [0.5]]"));
  CHECK(task(R"({"id": "x", "text": "a", "labels": [], "shares": {"joy": 0.4, "a.b": 0.3}}
{"id": "y", "text": "b", "labels": ["joy", "a.b"], "shares": {"joy": 0.5, "a.b": 0.5}}
)") == begin + "}\n");
  CHECK(task(R"({"id": "x", "text": "a", "labels": ["joy"], "shares": {"joy": 0.7, "a.b": 0.3}}
{"id": "y", "text": "a", "labels": ["a.b"], "shares": {"joy": 0.2, "a.b": 0.8}}
)") == begin + ", largest: true}\n");
  // No rule makes these labels of these shares: the labels count.
  CHECK(task(R"({"id": "x", "text": "a", "labels": ["a.b"], "shares": {"joy": 0.6, "a.b": 0.4}}
{"id": "y", "text": "a", "labels": ["joy"], "shares": {"joy": 0.6, "a.b": 0.4}}
)") == "format: labelprobe\nid: id\ntext: text\nlabels: {class: labels}\n");
}

}  // namespace labelprobe::data
