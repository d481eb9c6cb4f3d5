// Every form of labels, votes and splits, against what Python makes of the same items
// (tests/fixtures/data/tasks.json, made by scripts/fixtures/task_reference.py).
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/data/dataset.h"
#include "labelprobe/data/task_file.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::data {

namespace {

using Json = nlohmann::ordered_json;
using Strings = std::vector<std::string>;

// The items of a split as the fixture has them.
Json items_of(const std::filesystem::path& task, const std::string& split, AnnotationMode mode) {
  DatasetOptions options;
  options.splits = {split};
  options.annotation_mode = mode;
  const Dataset dataset = load(task.string(), options);
  Json items = Json::array();
  std::map<std::string, std::size_t> position_of;
  for (const Example& example : dataset.examples) {
    const Strings labels = dataset.label_set.names_of(example.labels);
    if (example.annotator == kAggregate) {
      position_of[example.example_id] = items.size();
      items.push_back({{"id", example.example_id},
                       {"text", example.text},
                       {"votes", Json::object()},
                       {"labels", labels}});
    }
  }
  for (const Example& example : dataset.examples) {
    if (example.annotator == kAggregate) continue;
    items[position_of.at(example.example_id)]["votes"][example.annotator] =
        dataset.label_set.names_of(example.labels);
  }
  return items;
}

Json expected_items(const Json& split) {
  Json items = split;
  for (Json& item : items) {
    Json votes = Json::object();
    for (const Json& vote : item["votes"]) votes[vote[0].get<std::string>()] = vote[1];
    item["votes"] = votes;
  }
  return items;
}

// Annotators' items come annotator by annotator: their order within an item is not told.
bool are_alike(const Json& found, const Json& expected) {
  return nlohmann::json(found) == nlohmann::json(expected);
}

}  // namespace

TEST_CASE("Task files of every form say what Python reads of their tables", "[data][golden]") {
  std::ifstream file(support::fixture("data/tasks.json"));
  for (const Json& one : Json::parse(file).at("cases")) {
    INFO(one.at("name").get<std::string>());
    const support::TempFolder folder;
    for (const auto& [name, content] : one.at("files").items()) {
      support::write_file(folder.path() / name, content.get<std::string>());
    }
    const std::filesystem::path task = folder.path() / "task.yaml";
    support::write_file(task, one.at("task").get<std::string>());
    const TaskInfo info = task_info(task.string());
    CHECK(info.name == "task");
    DatasetOptions train;
    train.splits = {"train"};
    CHECK(load(task.string(), train).label_set.is_multilabel() ==
          (one.at("kind") == "multi-label"));
    const AnnotationMode mode =
        info.has_annotators ? AnnotationMode::Both : AnnotationMode::Aggregate;
    for (const std::string split : {"train", "test"}) {
      const Json found = items_of(task, split, mode);
      const Json expected = expected_items(one.at("splits").at(split));
      CHECK(are_alike(found, expected));
    }
  }
}

}  // namespace labelprobe::data
