// What task files say beside their tables, and what is wrong with broken ones.
#include "labelprobe/data/task_file.h"

#include <algorithm>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/data/dataset.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::data {

namespace {

constexpr const char* kTask = R"(name: tweets
files: {train: train.csv, test: test.csv}
id: id
text: text
labels: {column: labels, separator: "|"}
label_names: [anger, joy]
votes: {file: raters.csv, item: tweet, annotator: who, labels: {columns: [anger, joy]}}
)";
constexpr const char* kTrain = "id,text,labels\na1,So angry,anger\na2,So glad,joy|anger\n";
constexpr const char* kTest = "id,text,labels\nb1,Nothing,\nb2,Hooray,joy\n";
constexpr const char* kRaters =
    "tweet,who,anger,joy\na1,ann,1,0\nb1,ann,0,0\nb2,ann,0,1\nb2,bob,1,1\n";

// A good task of four files.
class SmallTask {
 public:
  SmallTask() {
    write("task.yaml", kTask);
    write("train.csv", kTrain);
    write("test.csv", kTest);
    write("raters.csv", kRaters);
  }

  void write(const std::string& name, const std::string& content) {
    support::write_file(folder_.path() / name, content);
  }
  void replace(const std::string& name, const std::string& from, const std::string& to) {
    std::string text = support::read_file(folder_.path() / name);
    INFO(name << ": " << from);
    REQUIRE(text.find(from) != std::string::npos);
    write(name, text.replace(text.find(from), from.size(), to));
  }
  std::string path(const std::string& name = "task.yaml") const {
    return (folder_.path() / name).string();
  }

  Dataset load(AnnotationMode mode = AnnotationMode::Both) const {
    DatasetOptions options;
    options.splits = {"test"};
    options.annotation_mode = mode;
    return data::load(path(), options);
  }

 private:
  support::TempFolder folder_;
};

std::string message_of(const SmallTask& task) {
  try {
    task.load();
  } catch (const ConfigError& error) {
    return error.what();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

const TaskOption* find_option(const std::vector<TaskOption>& options, const std::string& name) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const TaskOption& option) { return option.name == name; });
  return found == options.end() ? nullptr : &*found;
}

struct Broken {
  std::string file;
  std::string from;
  std::string to;
  std::string place;  // what the message begins with behind the folder, the file's name first
  std::string said;
};

// In each of these the task is good but for one thing.
const std::vector<Broken> kBroken = {
    {"task.yaml", "text: text", "txt: text", "task.yaml:4",
     "unknown key of a task file 'txt'; did you mean 'text'?"},
    {"task.yaml", "text: text\n", "", "task.yaml:1", "expected text, the column with the texts"},
    {"task.yaml", "id: id\n", "", "task.yaml:1", "expected id, the column by which"},
    {"task.yaml", "labels: {column: labels", "labels: {colum: labels", "task.yaml:5",
     "unknown key of labels 'colum'; did you mean 'column'?"},
    {"task.yaml", "separator: \"|\"", "class: x", "task.yaml:5", "expected one of column"},
    {"task.yaml", "{column: labels, separator: \"|\"}", "labels", "task.yaml:5",
     "expected labels as a map"},
    {"task.yaml", ", annotator: who", "", "task.yaml:7", "expected annotator and labels"},
    {"task.yaml", "[anger, joy]\nvotes", "[anger, {joy: x}]\nvotes", "task.yaml:6",
     "expected names of labels"},
    {"task.yaml", "name: tweets", "name: a/b", "task.yaml:1", "a name that a folder can have"},
    {"task.yaml", "name: tweets", "name: [a", "task.yaml:", ""},
    {"task.yaml", "name: tweets", "format: exel", "task.yaml:1", "unknown table format 'exel'"},
    {"task.yaml", "name: tweets", "domain: face book", "task.yaml:1", "unknown domain 'face book'"},
    {"task.yaml", "name: tweets", "label_map: {fury: rage}", "task.yaml", "unknown label 'fury'"},
    {"task.yaml", "name: tweets", "label_map: train.csv", "train.csv:1",
     "expected a map of labels to what the data call them"},
    {"task.yaml", "name: tweets", "shown_as: {jo: x}", "task.yaml",
     "unknown label 'jo'; did you mean 'joy'?"},
    {"task.yaml", "name: tweets", "shown_as: {None: nothing}", "task.yaml:1",
     "shown_as: expected names of labels, found 'None': prompts, answers and logs say 'none'"},
    {"task.yaml", "labels: {column: labels, separator: \"|\"}\n",
     "labels: {class: labels}\nnone_word: nil\n", "task.yaml:1",
     "none_word: expected no such key where items have one label each"},
    {"task.yaml", "name: tweets", "split: {column: x}", "task.yaml:1",
     "expected split where files names no splits"},
    {"task.yaml", "name: tweets", "prompts: {intruction: x}", "task.yaml:1",
     "unknown key of prompts 'intruction'; did you mean 'instruction'?"},
    {"task.yaml", "{train: train.csv, test: test.csv}\n",
     "train.csv\nsplit: {train: 0.9, test: 0.2}\n", "task.yaml:3",
     "expected shares that are 1 together at most"},
    {"task.yaml", "{train: train.csv, test: test.csv}\n", "train.csv\nsplit: {column: labels}\n",
     "task.yaml:3", "expected rows of split 'test', found none (there are: anger, joy|anger)"},
    {"task.yaml", "{train: train.csv, test: test.csv}", "{train: train.csv}", "tweets split",
     "unknown tweets split 'test'"},
    {"task.yaml", "test: test.csv", "test: nothing_*.csv", "task.yaml:2", "expected files that"},
    {"task.yaml", "test: test.csv", "test: nothing.csv", "nothing.csv", "found no such file"},
    {"task.yaml", "test: test.csv", "test: task.yaml", "task.yaml", "expected a table"},
    {"task.yaml", "id: id", "id: idd", "train.csv",
     "expected a column 'idd', found none; did you mean 'id'?"},
    {"task.yaml", "text: text", "text: \"{text\"", "task.yaml:4", "expected a '}'"},
    {"task.yaml", "text: text", "text: \"{body}\"", "train.csv", "expected a column 'body'"},
    {"task.yaml", "item: tweet", "item: id", "raters.csv", "expected a column 'id'"},
    {"test.csv", "joy", "jjoy", "test.csv:3",
     "column 'labels': unknown label 'jjoy'; did you mean 'joy'?"},
    {"test.csv", "joy", "joy||anger", "test.csv:3", "expected the name of a label, found nothing"},
    {"test.csv", "b2", "b1", "test.csv:3", "expected distinct ids within a split, found 'b1'"},
    {"test.csv", "b2", "", "test.csv:3", "expected an id, found an empty one"},
    {"test.csv", "b2", "b__2", "test.csv:3", "expected an id without '__'"},
    {"test.csv", "Hooray", " ", "test.csv:3", "expected a text, found an empty one"},
    {"test.csv", "Hooray,", "Hooray", "test.csv:3", "fields"},
    {"test.csv", "Hooray", "Hoo\xFFray", "test.csv:3", "UTF-8"},
    {"test.csv", "Hooray", "\"Hooray", "test.csv:3", ""},
    {"test.csv", "b1,Nothing,\nb2,Hooray,joy\n", "", "test.csv", "expected rows, found none"},
    {"raters.csv", "b2,bob", "b9,bob", "raters.csv:5",
     "expected a vote on an item of the tables, found 'b9'"},
    {"raters.csv", "bob,1", "bob,1.5", "raters.csv:5",
     "column 'anger': expected 0, 1 or a share between, found '1.5'"},
    {"raters.csv", "bob,1", "bob,-1", "raters.csv:5", "expected 0, 1 or a share between"},
    {"raters.csv", "bob,1", "bob,", "raters.csv:5", "expected 0, 1 or a share between, found ''"},
    {"raters.csv", "bob,1", "bob,yes", "raters.csv:5", "expected 0, 1 or a share between"},
    {"raters.csv", "bob", "", "raters.csv:5", "expected an annotator's own name"},
    {"raters.csv", "bob", "aggregate", "raters.csv:5", "expected an annotator's own name"},
    {"raters.csv", "anger,joy", "anger,jo", "raters.csv",
     "expected a column 'joy', found none; did you mean 'jo'?"},
};

}  // namespace

TEST_CASE("A good task is read, and its path stands for the data set's name", "[data]") {
  const SmallTask task;
  CHECK(is_task_file("a/b.YML"));
  CHECK(!is_task_file("GoEmotions"));
  const TaskInfo info = task_info(task.path());
  CHECK(info.name == "tweets");
  CHECK(info.has_annotators);
  CHECK(!info.has_line_numbers_as_ids);
  const Dataset dataset = task.load();
  CHECK(dataset.name == "tweets");
  CHECK(dataset.examples.size() == 5);
  CHECK(dataset.notes.warnings.empty());
  CHECK(dataset.notes.files.size() == 4);  // what a run is refused for if it changes
  CHECK(task.load(AnnotationMode::Aggregate).notes.files.size() == 2);
}

TEST_CASE("Broken tasks end in a message with the file, what was expected and what was found",
          "[data]") {
  for (const Broken& broken : kBroken) {
    SmallTask task;
    task.replace(broken.file, broken.from, broken.to);
    INFO(broken.file << ": " << broken.from << " -> " << broken.to);
    const std::string message = message_of(task);
    CHECK_THAT(message, ContainsSubstring(broken.place));
    CHECK_THAT(message, ContainsSubstring(broken.said));
  }
}

TEST_CASE("Every cut of a task's files ends in a message or in a data set", "[data]") {
  for (const std::string file : {"task.yaml", "test.csv", "raters.csv"}) {
    const std::string whole = support::read_file(SmallTask().path(file));
    for (std::size_t size = 0; size < whole.size(); size += 3) {
      SmallTask task;
      task.write(file, whole.substr(0, size));
      INFO(file << " cut after " << size);
      CHECK_NOTHROW(message_of(task));
    }
  }
}

TEST_CASE("Labels that no list names are taken as the data have them, and said", "[data]") {
  SmallTask task;
  task.replace("task.yaml", "label_names: [anger, joy]\n", "");
  const Dataset dataset = task.load(AnnotationMode::Aggregate);
  CHECK(dataset.label_set.names() == std::vector<std::string>{"anger", "joy"});
  REQUIRE(dataset.notes.warnings.size() == 1);
  CHECK_THAT(dataset.notes.warnings.front(),
             ContainsSubstring("the labels are those of the data, in the order of their rows: "
                               "anger, joy (label_names sets them)"));
  DatasetOptions train;
  train.splits = {"train"};
  CHECK(load(task.path(), train).label_set == dataset.label_set);
}

TEST_CASE("Labels are shown by other names everywhere", "[data]") {
  SmallTask task;
  task.replace("task.yaml", "name: tweets", "shown_as: {anger: angry}");
  CHECK(task.load().label_set.names() == std::vector<std::string>{"angry", "joy"});
  CHECK(task.load().name == "task");
}

TEST_CASE("Votes on unknown items, repeated ones and empty ones are told", "[data]") {
  SmallTask task;
  task.replace("task.yaml", "file: raters.csv", "unknown_items: skip, file: raters.csv");
  task.write("raters.csv", std::string(kRaters) + "b9,bob,1,0\nb2,bob,0,0\n");
  const Dataset dataset = task.load();
  REQUIRE(dataset.notes.warnings.size() == 2);
  CHECK_THAT(dataset.notes.warnings[0], ContainsSubstring("1 votes are of an annotator who voted"));
  CHECK_THAT(dataset.notes.warnings[1], ContainsSubstring("1 votes are on items that are in no"));
  CHECK(dataset.examples.back().id() == "b2__bob");
  CHECK(dataset.examples.back().labels.empty());
}

TEST_CASE("A table whose last row has no line break is read, with a note", "[data]") {
  SmallTask task;
  task.write("test.csv", "id,text,labels\nb1,Nothing,\nb2,Hooray,joy");
  const Dataset dataset = task.load();
  CHECK(dataset.examples.size() == 5);
  REQUIRE(dataset.notes.warnings.size() == 1);
  CHECK_THAT(dataset.notes.warnings.front(),
             ContainsSubstring("test.csv:3: the last row has no line break behind it"));
}

TEST_CASE("A task file gives options of the commands, and the usual splits and shots", "[data]") {
  SmallTask task;
  task.write("how.txt", "Say it: {labels}\n");
  task.replace("task.yaml", "name: tweets",
               "prompts: {instruction: how.txt, incontext: \"{text}: {label}\", mode: chat}\n"
               "max_new_tokens: 12\noptions: {exclude_query: yes, seed: [1, 2]}");
  const std::vector<TaskOption> options = task_options(task.path());
  const auto value = [&](const std::string& name) {
    const TaskOption* option = find_option(options, name);
    return option ? option->values : std::vector<std::string>{"(none)"};
  };
  CHECK(value("instruction_prompt") == std::vector<std::string>{task.path("how.txt")});
  CHECK(value("incontext_prompt") == std::vector<std::string>{"{text}: {label}"});
  CHECK(value("prompt_mode") == std::vector<std::string>{"chat"});
  CHECK(value("max_new_tokens") == std::vector<std::string>{"12"});
  CHECK(value("exclude_query") == std::vector<std::string>{"true"});
  CHECK(value("seed") == std::vector<std::string>{"1", "2"});
  CHECK(value("train_splits") == std::vector<std::string>{"train"});
  CHECK(value("test_splits") == std::vector<std::string>{"test"});
  CHECK(value("shot") == std::vector<std::string>{"10"});
  CHECK(find_option(options, "seed")->place == task.path() + ":3");
}

TEST_CASE("A table without splits is one split, and nothing is shown", "[data]") {
  SmallTask task;
  task.write("task.yaml",
             "files: train.csv\ntext: text\nlabels: {column: labels, separator: \"|\"}\n");
  DatasetOptions options;
  options.splits = {"all"};
  const Dataset dataset = load(task.path(), options);
  CHECK(dataset.examples.front().example_id == "0");
  const std::vector<TaskOption> given = task_options(task.path());
  CHECK(find_option(given, "shot")->values == std::vector<std::string>{"0"});
  CHECK(find_option(given, "test_splits")->values == std::vector<std::string>{"all"});
  CHECK(find_option(given, "train_splits") == nullptr);
}

}  // namespace labelprobe::data
