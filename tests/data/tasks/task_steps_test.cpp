// What task files do to tables before their columns are read: what is said of steps that do not
// fit. What they make of good tables is compared in task_forms_test.cpp.
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/files/compressed.h"

#include "data/small_root.h"
#include "support/catch.h"
#include "support/errors.h"

namespace labelprobe::data {

namespace {

using Strings = std::vector<std::string>;

// A task of one table and one to join, with steps.
class StepTask : public SmallRoot {
 public:
  explicit StepTask(const std::string& steps, const std::string& more = "") {
    write("items.csv", "id,what,text\na,joy: so glad,One\nb,fear,Two\na-2,joy: (((,Three\n");
    write("more.csv", "id,place\na,here\nb,there\n");
    write("task.yaml", "files: items.csv\nprepare:\n" + steps +
                           "id: id\ntext: text\nlabels: {class: what}\n" + more);
  }

  Dataset load() const {
    DatasetOptions options;
    options.splits = {"all"};
    return data::load(path("task.yaml"), options);
  }

  // What is said, from the name of the file on.
  std::string message() const {
    const std::string said = support::message_of<Error>([&] { load(); });
    const std::string folder = path("");
    const std::size_t at = said.find(folder);
    return at == 0 ? said.substr(folder.size()) : said;
  }
};

struct BrokenStep {
  std::string steps;
  std::string said;
};

const std::vector<BrokenStep> kBrokenSteps = {
    {"  where: x\n", "task.yaml:3: expected a list of steps, found"},
    {"  - what\n", "task.yaml:3: expected a step such as {pattern: .., column: ..}, found 'what'"},
    {"  - {column: what}\n",
     "task.yaml:3: prepare: expected a step with one of pattern, replace, count, join, where, "
     "file"},
    {"  - {count: id, as: n, file: f}\n", "task.yaml:3: prepare: expected count or file, each"},
    {"  - {pattern: x, colum: what}\n",
     "task.yaml:3: unknown key of the step pattern 'colum'; did you mean 'column'?"},
    {"  - {pattern: '(?<a>x)'}\n", "task.yaml:3: pattern: expected column beside it"},
    {"  - {pattern: x, column: what}\n",
     "task.yaml:3: pattern: expected named groups, (?<name>..), which become columns"},
    {"  - {pattern: '(?<a>x', column: what}\n",
     "task.yaml:3: expected a regular expression, found '(?<a>x', which is none at byte 6: missing "
     "closing parenthesis"},
    {"  - {where: {what: '['}}\n", "task.yaml:3: expected a regular expression, found '['"},
    {"  - {replace: {}, column: what}\n", "expected a map of regular expressions"},
    {"  - {pattern: '^(?<kind>\\w+): (?<rest>.*)$', column: what}\n",
     "items.csv:3: expected column 'what' to have the pattern '^(?<kind>\\w+): (?<rest>.*)$', "
     "found "
     "'fear' ("},
    {"  - {pattern: '(?<id>.)', column: what}\n",
     "task.yaml:3: expected a new name for a column, "
     "found 'id', which "},
    {"  - {pattern: '(?<n>.)', column: whatt}\n",
     "items.csv: expected a column 'whatt', found none; did you mean 'what'?"},
    {"  - {replace: {j: '$9'}, column: what}\n",
     "task.yaml:3: expected a replacement of 'j', found '$9': unknown substring; $1 and ${name} "
     "stand for groups, $$ for a dollar"},
    {"  - {replace: {j: '${'}, column: what}\n", "task.yaml:3: expected a replacement of 'j'"},
    {"  - {count: id, as: what}\n", "task.yaml:3: expected a new name for a column"},
    {"  - {join: more.csv, on: [id]}\n", "items.csv:4: expected a row of "},
    {"  - {join: more.csv, on: [id], take: [what]}\n", "more.csv: expected a column 'what', found"},
    {"  - {join: gone.csv, on: [id]}\n", "gone.csv: expected a table, found no such file"},
    {"  - {join: more.csv, on: [id], otherwise: skip}\n",
     "task.yaml:3: unknown treatment of other rows 'skip' (known: refuse, leave out, empty)"},
    {"  - {join: more.csv, on: {id: place}, otherwise: empty, prepare: [{replace: {'.*': x}, "
     "column: "
     "place}]}\n",
     "more.csv:3: expected every row to differ in what is joined on ("},
};

}  // namespace

TEST_CASE("Steps that are broken or do not fit end in a message with their place", "[data]") {
  for (const BrokenStep& broken : kBrokenSteps) {
    INFO(broken.steps);
    CHECK_THAT(StepTask(broken.steps).message(), ContainsSubstring(broken.said));
  }
}

TEST_CASE("A pattern that takes too many steps on a cell is given up", "[data]") {
  StepTask task("  - {pattern: '(?<n>(a+)+$)', column: what, otherwise: empty}\n");
  task.write("items.csv", "id,what,text\na," + std::string(60, 'a') + "b,One\n");
  CHECK_THAT(task.message(),
             ContainsSubstring("items.csv:2: expected a cell that can be searched, found one of 61 "
                               "bytes on which the pattern '(?<n>(a+)+$)' gives up (match limit"));
}

TEST_CASE("Rows without the pattern or a partner are left out or empty, and counted", "[data]") {
  const StepTask left_out(
      "  - {pattern: '^(?<kind>\\w+): ', column: what, otherwise: leave out}\n"
      "  - {join: more.csv, on: [id], otherwise: leave out}\n");
  const Dataset dataset = left_out.load();
  CHECK(ids_of(dataset) == Strings{"a__aggregate"});
  REQUIRE(dataset.notes.warnings.size() == 3);
  CHECK(dataset.notes.warnings[0] == left_out.path("task.yaml") + ":3: 1 of 3 rows of " +
                                         left_out.path("items.csv") +
                                         " have not the pattern and are left out");
  CHECK(dataset.notes.warnings[1] == left_out.path("task.yaml") + ":4: 1 of 2 rows of " +
                                         left_out.path("items.csv") + " have no row in " +
                                         left_out.path("more.csv") + " and are left out");
  CHECK(dataset.notes.files.size() == 3);  // a change of the other table is noticed too
  StepTask empty("  - {pattern: '^(?<kind>\\w+): ', column: what, otherwise: empty}\n");
  empty.replace("task.yaml", "text: text", "text: \"{kind}.{text}\"");
  CHECK(empty.load().examples[1].text == ".Two");
}

TEST_CASE("Repeated ids, unknown labels and shares above a limit have to make sense", "[data]") {
  const auto message = [](const std::string& from, const std::string& to) {
    StepTask task("  - {count: id, as: n}\n");
    task.replace("task.yaml", from, to);
    return task.message();
  };
  CHECK_THAT(message("text: text", "text: text\nunknown_labels: leave out"),
             ContainsSubstring("expected label_names or label_map beside unknown_labels"));
  CHECK_THAT(message("text: text", "text: text\nrepeated_ids: some"),
             ContainsSubstring("unknown treatment of repeated ids 'some' (known: refuse, first, "
                               "last)"));
  CHECK_THAT(message("labels: {class: what}",
                     "repeated_ids: last\nvotes: {annotator: id, labels: {class: what}}"),
             ContainsSubstring("repeated_ids: expected no such key where the rows of one id are"));
  CHECK_THAT(message("{class: what}", "{columns: [what], above: 2}"),
             ContainsSubstring("expected a share between 0 and 1, found '2'"));
  CHECK_THAT(message("{class: what}", "{columns: [what], above: 0.5, largest: true}"),
             ContainsSubstring("labels: expected one of at_least, above and largest"));
  CHECK_THAT(message("{class: what}", "{class: what, at_least: 0.5}"),
             ContainsSubstring("labels: expected one of at_least, above and largest"));
  CHECK_THAT(message("labels: {class: what}",
                     "votes: {annotator: id, labels: {class: what}, aggregate: mean shares}"),
             ContainsSubstring("aggregate mean shares goes with labels that are columns"));
  CHECK_THAT(message("labels: {class: what}",
                     "votes: {annotator: id, labels: {class: what}, item_is: text}"),
             ContainsSubstring("votes: item, item_is, sheet, prepare and unknown_items belong"));
  CHECK_THAT(message("labels: {class: what}",
                     "votes: {file: more.csv, annotator: id, labels: {class: place}, item_is: "
                     "text}"),
             ContainsSubstring("item_is text: expected item"));
  CHECK_THAT(message("text: text", "text: text\nlabel_names: {separator: x}"),
             ContainsSubstring("label_names: expected file, which has the names"));
  CHECK_THAT(message("text: text", "text: text\nlabel_names: {file: gone.txt}"),
             ContainsSubstring("gone.txt: expected the names of the labels, found no such file"));
}

TEST_CASE("A file of label names without one is refused, and unknown labels are counted",
          "[data]") {
  StepTask task("  - {replace: {':.*': ''}, column: what}\n",
                "label_names: {file: names.txt, separator: ';'}\nunknown_labels: leave out\n");
  task.replace("task.yaml", "labels: {class: what}", "labels: {column: what, separator: ','}");
  task.write("names.txt", " ;\n\n");
  CHECK_THAT(task.message(),
             ContainsSubstring("names.txt: expected names of labels, found none ("));
  task.write("names.txt", "joy; love\n\nhope\n");
  const Dataset dataset = task.load();
  CHECK(dataset.label_set.names() == Strings{"joy", "love", "hope"});
  REQUIRE(dataset.notes.warnings.size() == 1);
  CHECK_THAT(
      dataset.notes.warnings[0],
      ContainsSubstring("task.yaml: 1 labels that are not among the task's are left out: fear"));
}

TEST_CASE("Compressed tables are read in every place of a task file", "[data]") {
  SmallRoot root;
  const auto pack = [&](const std::string& name, const std::string& text) {
    root.write(name, files::gzip(text));
  };
  pack("a_1.csv.gz", "id,text\n1,One\n");
  pack("a_2.csv.gz", "id,text\n2,Two\n");
  pack("b.jsonl.gz", "{\"id\": 3, \"text\": \"Three\"}\n");
  pack("votes.tsv.gz", "item\twho\tsays\n1\tann\tjoy\n2\tann\tfear\n3\tann\tfear\n");
  pack("more.json.gz",
       R"([{"id": "1", "topic": "x"}, {"id": "2", "topic": "y"}, {"id": "3", "topic": "z"}])");
  root.write("task.yaml",
             "files: {train: a_*.csv.gz, test: b.jsonl.gz}\n"
             "prepare: [{join: more.json.gz, on: [id]}, {file: part}]\n"
             "id: id\ntext: \"{text} {topic} {part}\"\n"
             "votes: {file: votes.tsv.gz, item: item, annotator: who, labels: {class: says}}\n"
             "label_names: [joy, fear]\n");
  DatasetOptions options;
  options.splits = {"train", "test"};
  const Dataset dataset = load(root.path("task.yaml"), options);
  REQUIRE(ids_of(dataset) == Strings{"1__aggregate", "2__aggregate", "3__aggregate"});
  CHECK(dataset.examples[0].text == "One x a_1");
  CHECK(dataset.examples[2].text == "Three z b");
  root.write("b.jsonl.gz", files::gzip("{\"id\": 3, \"text\": \"Three\"}\n").substr(0, 30));
  CHECK_THROWS_WITH(
      load(root.path("task.yaml"), options),
      ContainsSubstring("b.jsonl.gz: expected a file of gzip, as its name says, found "
                        "a broken one (it ends early)"));
}

}  // namespace labelprobe::data
