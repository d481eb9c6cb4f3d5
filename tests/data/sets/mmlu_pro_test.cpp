#include "labelprobe/data/dataset.h"

#include "data/small_root.h"

namespace labelprobe::data {

namespace {

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("The options of a question stand behind it, with the delimiter between them", "[data]") {
  FixtureRoot root("mmlu_pro");
  DatasetOptions options = root.options({"validation"});
  options.delimiter = ", ";
  const Dataset dataset = load("MMLUPro", options);
  REQUIRE(dataset.examples[0].text == "What is 1 + 1?\nA. 1, B. 2, C. 3, D. N/A");
  REQUIRE(dataset.label_set.names() == Strings{"a", "b", "c", "d"});
  REQUIRE(dataset.examples[0].labels == Labels{1});
}

TEST_CASE("The index of the answer counts where the letter is another one", "[data]") {
  FixtureRoot root("mmlu_pro");
  const Dataset dataset = load("MMLUPro", root.options({"validation", "test"}));
  REQUIRE(dataset.label_set.size() == 10);
  REQUIRE(dataset.examples.back().labels == Labels{9});
  REQUIRE(dataset.notes.warnings ==
          Strings{"MMLUPro, split test: 1 questions have an 'answer' that is not their "
                  "'answer_index', which counts: 72"});
  expect_data_error("MMLUPro", root.options({"test", "dev"}),
                    "expected a question with 10 options as in the split before, found at most 4");
}

TEST_CASE("The hub's own Parquet files are read", "[data]") {
  if (!std::filesystem::exists(support::build_folder() / "liblabelprobe_parquet.so")) {
    SKIP_ALOUD("no Apache Arrow, so no reader of Parquet was built");
  }
  const FixtureRoot of_lines("mmlu_pro");
  const FixtureRoot of_parquet("mmlu_pro_parquet");
  const Dataset lines = load("MMLUPro", of_lines.options({"validation", "test"}));
  const Dataset parquet = load("MMLUPro", of_parquet.options({"validation", "test"}));
  REQUIRE(parquet.examples.size() == lines.examples.size());
  for (std::size_t i = 0; i < lines.examples.size(); ++i) {
    CHECK(parquet.examples[i].id() == lines.examples[i].id());
    CHECK(parquet.examples[i].text == lines.examples[i].text);
    CHECK(parquet.examples[i].labels == lines.examples[i].labels);
  }
  CHECK(parquet.notes.warnings == lines.notes.warnings);
  CHECK(parquet.label_set.names() == lines.label_set.names());
}

TEST_CASE("Spoilt MMLU-Pro rows are reported with file and line", "[data]") {
  const std::string test = "test.jsonl";
  const std::string ten = "[\"0\", \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]";
  expect_spoilt(
      "MMLUPro", "mmlu_pro", "test",
      {{test, "\"answer_index\": 4", "\"answer_index\": 5",
        ":1: key 'answer_index': expected an integer from 0 to 4, found 5"},
       {test, "\"answer_index\": 4", "\"answer_index\": -1",
        ":1: key 'answer_index': expected an integer from"},
       {test, "\"answer_index\": 4", "\"answer_index\": 1e400", ":1: expected"},
       {test, "\"answer_index\": 4", "\"answer_index\": \"E\"",
        ":1: key 'answer_index': expected an integer from"},
       {test, "\"0\", ", "\"0\", \"x\", ",
        ":2: key 'options': expected a list of 1 to 10 strings, found 11"},
       {test, ten, "[]", ":2: key 'options': expected a list of 1 to 10 strings, found 0"},
       {test, ten, "7", ":2: key 'options': expected a list of 1 to 10 strings, found number"},
       {test, "\"0\", ", "0, ", ":2: key 'options[0]': expected a string, found 0"},
       {test, "\"question\"", "\"quest\"", ":1: key 'question' is missing"},
       {test, "72", "70", ":2: expected distinct ids within a split, found '70' again"},
       {test, "Which", "\xFF", ":1: expected JSON, found an error at byte"},
       {test, "\"x\"}\n", "", ":1: expected JSON, found an error at byte"}});
  FixtureRoot root("mmlu_pro");
  root.write(test, "\n");
  expect_data_error("MMLUPro", root.options({"test"}), ":1: expected rows, found an empty file");
  root.remove(test);
  expect_data_error("MMLUPro", root.options({"test"}), root.path(test) + ": expected a file");
}

}  // namespace labelprobe::data
