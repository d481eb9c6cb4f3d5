#include "labelprobe/data/task_draft.h"

#include <cstdlib>

#include "labelprobe/core/error.h"
#include "labelprobe/files/compressed.h"

#include "data/small_root.h"
#include "support/errors.h"
#include "support/files.h"

namespace labelprobe::data {
namespace {

// A draft's lines that are no comments, what stands behind "  #" left out.
std::string lines_of(const std::string& draft) {
  std::string kept;
  std::istringstream lines(draft);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#') || line.empty()) continue;
    kept += line.substr(0, line.find("  #")) + "\n";
  }
  return kept;
}

std::string drafted(SmallRoot& root, const std::string& name, const std::string& content) {
  const std::string path = root.write(name, content);
  return lines_of(draft_task(path, root.path("")).text);
}

std::string message(const std::string& subject) {
  return support::message_of<Error>([&] { known_task(subject); });
}

}  // namespace

TEST_CASE("A table with a separator between its labels becomes a draft", "[data]") {
  SmallRoot root;
  CHECK(drafted(root, "tweets.csv",
                "tweet_id,tweet,labels\n1,\"so happy, so mad\",joy|anger\n2,so sad,sadness\n"
                "3,grr grr,anger\n4,oh well,joy\n") ==
        "name: tweets\n"
        "files: tweets.csv\n"
        "split: {train: 0.8, test: 0.2, seed: 0}\n"
        "id: tweet_id\n"
        "text: tweet\n"
        "labels: {column: labels, separator: \"|\"}\n"
        "label_names: [joy, anger, sadness]\n");
}

TEST_CASE("Compressed tables are drafted as others are, with those of the other splits", "[data]") {
  SmallRoot root;
  const std::string text =
      "tweet;labels\n\"so, happy; mad\";joy|anger\nso sad;sadness\ngrr;anger\n";
  root.write("tweets_test.csv.gz", files::gzip(text));
  CHECK(drafted(root, "tweets_train.csv.gz", files::gzip(text)) ==
        "name: tweets\nfiles:\n  train: tweets_train.csv.gz\n  test: tweets_test.csv.gz\n"
        "delimiter: \";\"\n"
        "text: tweet\n"
        "labels: {column: labels, separator: \"|\"}\n"
        "label_names: [joy, anger, sadness]\n");
}

TEST_CASE("Columns of 0 and 1, splits and one class are seen", "[data]") {
  SmallRoot root;
  CHECK(drafted(root, "m.tsv",
                "ID\tmessage\tfold\troads\tno idea\na\tthe road is bad\tA\t1\t0\n"
                "b\twhat is this\tB\t0\t1.0\n") ==
        "name: m\nfiles: m.tsv\nsplit: {column: fold}\nid: ID\ntext: message\n"
        "labels: {columns: [roads, no idea]}\nlabel_names: [roads, no idea]\n");
  CHECK(
      drafted(root, "s.jsonl",
              "{\"body\": \"good film\", \"stance\": \"pro\"}\n{\"body\": \"bad one\", \"stance\": "
              "\"no\"}\n{\"body\": \"fine film\", \"stance\": \"pro\"}\n") ==
      "name: s\nfiles: s.jsonl\nsplit: {train: 0.8, test: 0.2, seed: 0}\ntext: body\n"
      "labels: {class: stance}\nlabel_names: [pro, \"no\"]\n");
}

TEST_CASE("Columns with semicolons between them are seen", "[data]") {
  SmallRoot root;
  CHECK_THAT(drafted(root, "s.csv", "text;label\na, b;x\nc;y\nd;x\n"),
             ContainsSubstring("files: s.csv\ndelimiter: \";\"\nsplit:"));
}

TEST_CASE("Rows of raters become votes", "[data]") {
  SmallRoot root;
  CHECK(drafted(root, "votes.csv",
                "item_id,text,worker,emotions\n1,so happy,w1,\"[\"\"joy\"\"]\"\n"
                "1,so happy,w2,\"[\"\"joy\"\", \"\"love\"\"]\"\n2,so mad,w1,[]\n") ==
        "name: votes\nfiles: votes.csv\nsplit: {train: 0.8, test: 0.2, seed: 0}\nid: item_id\n"
        "text: text\nvotes: {annotator: worker, labels: {column: emotions}}\n"
        "label_names: [joy, love]\n");
}

TEST_CASE("A column for each rater is seen", "[data]") {
  SmallRoot root;
  CHECK(
      drafted(root, "m.csv",
              "id,text,ann,bob\n1,a road,roads,roads|waste\n2,a bin,waste,waste\n3,hm,none,noise\n"
              "4,so loud,noise,\n") ==
      "name: m\nfiles: m.csv\nsplit: {train: 0.8, test: 0.2, seed: 0}\nid: id\ntext: text\n"
      "votes: {columns: [ann, bob], separator: \"|\"}\n"
      "label_names: [roads, waste, noise]\n");
}

TEST_CASE("Lists as pandas writes them into CSV are lists", "[data]") {
  SmallRoot root;
  const std::string table = root.write(
      "p.csv", "id,text,label\n1,a b,\"['joy', 'x \"\"y\"\"']\"\n2,c,[]\n3,d,\"[\"\"it's\"\"]\"\n");
  CHECK_THAT(
      drafted(root, "q.csv", support::read_file(table)),
      ContainsSubstring("labels: {column: label}\nlabel_names: [joy, \"x \\\"y\\\"\", \"it's\"]"));
}

TEST_CASE("Cells with lists nested without end are texts", "[data]") {
  SmallRoot root;
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  const std::string table = root.write("p.csv", "id,text,label\n1,a b," + deep + "\n2,c,joy\n");
  CHECK_THAT(drafted(root, "q.csv", support::read_file(table)), ContainsSubstring("text: text"));
}

TEST_CASE("Tables of several splits beside each other are one set", "[data]") {
  SmallRoot root;
  root.write("tweets_test.csv", "text,label\nc d,no\n");
  root.write("tweets_dev.csv", "text,label\nc d,no\n");
  CHECK(drafted(root, "tweets_train.csv", "text,label\na b,yes\nb c,no\nb d,no\n") ==
        "name: tweets\nfiles:\n  train: tweets_train.csv\n  validation: tweets_dev.csv\n"
        "  test: tweets_test.csv\ntext: text\nlabels: {class: label}\n"
        "label_names: [\"yes\", \"no\"]\n");
}

TEST_CASE("A draft says what each column holds", "[data]") {
  SmallRoot root;
  const std::string path = root.write("t.csv", "id,text,label\n1,a b,x\n2,,y\n3,c d,x\n");
  const TaskDraft draft = draft_task(path, root.path(""));
  CHECK(draft.is_guessed);
  CHECK_THAT(draft.text, ContainsSubstring("a draft, made of a look at 3 rows") &&
                             ContainsSubstring("#   id     numbers, 3 different: 1\n") &&
                             ContainsSubstring("#   text   texts, 2 different, 1 empty: a b\n") &&
                             ContainsSubstring("# 2 labels: x 2, \"y\" 1\n"));
}

TEST_CASE("A draft is a task file that is accepted", "[data]") {
  SmallRoot root;
  const std::string table = root.write(
      "t.csv",
      "id,text,annotator,\"labels, all\"\nx,\"a: {b}\",w1,\"x: y|no\"\nx,\"a: {b}\",w2,no\n"
      "y,\"# c\",w1,\ny,\"# c\",w2,\"x: y\"\nz,d e,w1,no\n");
  const std::string task = root.write("t.yaml", draft_task(table, root.path("")).text);
  DatasetOptions options;
  options.splits = {"train", "test"};
  options.annotation_mode = AnnotationMode::Both;
  const Dataset read = load(task, options);
  CHECK(read.label_set.names() == std::vector<std::string>{"x: y", "no"});
  CHECK(read.examples.size() == 8);
}

TEST_CASE("Data without a task file are told how to get one", "[data]") {
  SmallRoot root;
  const std::string path = root.write("t.csv", "id,text,label\n1,a b,x\n2,d,y\n");
  CHECK(message(path) ==
        path +
            ": expected a task file, which says what the columns of the table mean "
            "(id, text, label); `labelprobe init " +
            path + " --out t.yaml` drafts one");
  CHECK_THAT(message(root.path("none.csv")), ContainsSubstring("found no such file or folder"));
  CHECK_THAT(message(root.write("t.doc", "x")), ContainsSubstring("whose name ends in .csv"));
  CHECK_THROWS_WITH(draft_task(root.write("n.csv", "a,b\n1,2\n3,4\n"), {}),
                    ContainsSubstring("n.csv: expected a column that looks like texts, found none "
                                      "(columns: a, b)"));
  CHECK_THROWS_WITH(draft_task(root.write("n.csv", "text,b\nx y,2\nz,\n"), {}),
                    ContainsSubstring("looks like labels"));
}

TEST_CASE("A data set that is not in the cache is told by the command that fetches it", "[data]") {
  const SmallRoot cache;
  ::setenv("HF_HUB_CACHE", cache.path("").c_str(), 1);
  CHECK_THAT(message("org/tweets"),
             ContainsSubstring("data set 'org/tweets': no such file or folder") &&
                 ContainsSubstring("`hf download --repo-type dataset org/tweets`"));
  ::unsetenv("HF_HUB_CACHE");
}

TEST_CASE("What can be data without a task file", "[data]") {
  SmallRoot root;
  CHECK(is_data_without_task(root.write("t.csv", "")));
  CHECK(is_data_without_task(root.path("")));
  CHECK(is_data_without_task("org/name"));
  CHECK(is_data_without_task("org/name@v1:small"));
  CHECK_FALSE(is_data_without_task(root.write("t.yaml", "")));
  CHECK_FALSE(is_data_without_task("GoEmotions"));
  CHECK_FALSE(is_data_without_task("none/t.csv"));
  CHECK_FALSE(is_data_without_task("a/b/c"));
}

}  // namespace labelprobe::data
