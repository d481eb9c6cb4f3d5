#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_draft.h"

#include "data/forms/hub_info.h"
#include "data/small_root.h"
#include "support/errors.h"
#include "support/files.h"

namespace labelprobe::data {
namespace {

std::string hub(const std::string& name) {
  return support::fixture("data/hub/" + name).string();
}

// The lines of the task file behind the first.
std::string task_of_hub(const std::string& subject) {
  const std::string text = known_task(subject).text;
  return text.substr(text.find('\n') + 1);
}

std::string message_of_hub(const std::string& subject) {
  return support::message_of<Error>([&] { known_task(subject); });
}

constexpr const char* kCard = R"(---
license: mit
dataset_info:
  features:
  - name: id
    dtype: int64
  - name: sentence1
    dtype: string
  - name: sentence2
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': same
          '1': other
---
# Pairs
)";

}  // namespace

TEST_CASE("The card of a data set says what its columns are", "[data]") {
  const std::string below = "\"" + hub("moods") + "/raw/";
  CHECK(task_of_hub(hub("moods") + ":raw") ==
        "name: moods_raw\nfiles:\n"
        "  train: [" +
            below + "train-00000-of-00002.parquet\", " + below +
            "train-00001-of-00002.parquet\"]\n"
            "  validation: " +
            below +
            "validation-00000-of-00001.parquet\"\n"
            "  test: " +
            below +
            "test-00000-of-00001.parquet\"\n"
            "id: id\ntext: text\nlabels: {column: labels}\n"
            "label_map: {joy: \"0\", no idea: \"1\", \"anger: \\\"cold\\\"\": \"2\", trust: "
            "\"3\"}\n");
  CHECK_THAT(task_of_hub(hub("moods") + ":stance"),
             ContainsSubstring("labels: {class: label}\nlabel_map: {pro: \"0\", contra: \"1\"}\n"));
}

TEST_CASE("Data sets of the hub are what the library datasets reads", "[data]") {
  if (!std::filesystem::exists(support::build_folder() / "liblabelprobe_parquet.so")) {
    SKIP_ALOUD("no Apache Arrow, so no reader of Parquet was built");
  }
  const nlohmann::json reference =
      support::read_json(support::fixture("data/hub/expected.json")).at("sets");
  for (const nlohmann::json& set : reference) {
    const std::string config = set.at("config");
    const std::string subject =
        hub(set.at("name")) + (config.empty() ? std::string() : ":" + config);
    for (const auto& [split, rows] : set.at("splits").items()) {
      INFO(subject << ", " << split);
      DatasetOptions options;
      options.splits = {split};
      const Dataset read = load(subject, options);
      REQUIRE(read.examples.size() == rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(read.examples[i].text == rows[i].at("text").get<std::string>());
        CHECK(nlohmann::json(read.label_set.names_of(read.examples[i].labels)) ==
              rows[i].at("labels"));
      }
      CHECK_THAT(read.notes.warnings.at(0), ContainsSubstring(subject + ": read as "));
    }
  }
}

TEST_CASE("One of several configurations has to be named", "[data]") {
  CHECK(message_of_hub(hub("moods")) == hub("moods") +
                                            ": expected one of its configurations, as in " +
                                            hub("moods") + ":raw (known: raw, stance)");
  CHECK_THAT(message_of_hub(hub("moods") + ":row"),
             ContainsSubstring("unknown configuration 'row'; did you mean 'raw'?"));
}

TEST_CASE("Files and features without a card are found by their names", "[data]") {
  SmallRoot root;
  const auto write = [&](const std::string& name, const std::string& text) {
    support::write_file(root.path("pairs/" + name), text);
  };
  write("data/train.jsonl", "{}\n");
  write("data/dev.jsonl", "{}\n");
  write("data/notes.csv", "a\n");
  write("dataset_infos.json", R"({"default": {"features": {
    "comment": {"dtype": "string", "_type": "Value"},
    "emotions": {"feature": {"names": ["joy", "fear"], "_type": "ClassLabel"}, "_type": "List"}}}})");
  CHECK(task_of_hub(root.path("pairs")) ==
        "name: pairs\nfiles:\n  train: \"" + root.path("pairs/data/train.jsonl") +
            "\"\n  validation: \"" + root.path("pairs/data/dev.jsonl") +
            "\"\ntext: comment\nlabels: {column: emotions}\nlabel_map: {joy: \"0\", fear: \"1\"}\n"
            "test_splits: [validation]\n");
  write("README.md", kCard);
  CHECK_THAT(
      task_of_hub(root.path("pairs")),
      ContainsSubstring("id: id\ntext: \"{sentence1}\\n{sentence2}\"\nlabels: {class: label}"));
}

TEST_CASE("A folder of the hub's cache is found by the data set's name", "[data]") {
  SmallRoot root;
  const std::string folder = "datasets--org--pairs/snapshots/abc/";
  support::write_file(root.path(folder + "README.md"), kCard);
  support::write_file(root.path(folder + "test.csv"), "id,sentence1,sentence2,label\n");
  ::setenv("HF_HUB_CACHE", root.path("").c_str(), 1);
  CHECK_THAT(task_of_hub("org/pairs"),
             ContainsSubstring("name: pairs\nfiles:\n  test: \"" + root.path(folder + "test.csv")));
  CHECK(known_task("org/pairs").form == "a Hugging Face data set");
  ::unsetenv("HF_HUB_CACHE");
}

TEST_CASE("What a Parquet file says of its features may be anything", "[data]") {
  const auto info = [](const std::string& features) {
    return R"({"info": {"features": )" + features + "}}";
  };
  CHECK(features_in_metadata(info(R"({"text": {"_type": "Value", "dtype": "string"}})")).size() ==
        1);
  CHECK(features_in_metadata(
            info(R"({"a": )" + std::string(100000, '[') + std::string(100000, ']') + "}"))
            .empty());
  for (const char* text : {"", "{", "[]", R"({"info": 3})", R"({"info": {"features": [1]}})"}) {
    INFO(text);
    CHECK(features_in_metadata(text).empty());
  }
}

TEST_CASE("A data set that cannot be read says why", "[data]") {
  SmallRoot root;
  const auto write = [&](const std::string& name, const std::string& text) {
    support::write_file(root.path("set/" + name), text);
  };
  write("state.json", "{}");
  CHECK_THAT(message_of_hub(root.path("set")), ContainsSubstring("found none; it was written by "
                                                                 "save_to_disk()"));
  write("train.csv", "text\n");
  write("README.md",
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: "
        "data/*.parquet\n---\n");
  CHECK_THAT(message_of_hub(root.path("set")),
             ContainsSubstring("README.md: expected the files of split 'train', data/*.parquet, "
                               "found none"));
  // Patterns name files of the data set's own folder alone.
  support::write_file(root.path("secret.csv"), "text\nb\n");
  const std::vector<std::string> patterns = {"../secret.csv", "../*.csv", root.path("secret.csv")};
  for (const std::string& pattern : patterns) {
    write("README.md",
          "---\nconfigs:\n- config_name: default\n  data_files: '" + pattern + "'\n---\n");
    INFO(pattern);
    CHECK_THAT(message_of_hub(root.path("set")), ContainsSubstring(pattern + ", found none"));
  }
  write("README.md", "---\ndataset_info:\n  features:\n  - dtype: string\n---\n");
  CHECK_THAT(message_of_hub(root.path("set")),
             ContainsSubstring("README.md:4: expected a feature with a name"));
  write("README.md", "---\ndataset_info:\n  features:\n  - name: text\n    dtype: string\n---\n");
  CHECK_THAT(message_of_hub(root.path("set")),
             ContainsSubstring("expected a feature of classes, or one called label, found none "
                               "(features: text)"));
  write("README.md", "---\nconfigs: [\n---\n");
  CHECK_THAT(message_of_hub(root.path("set")), ContainsSubstring("README.md:"));
}

}  // namespace labelprobe::data
