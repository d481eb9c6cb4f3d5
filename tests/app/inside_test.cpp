// What a run keeps of the model's insides: that of transformers, beside answers that stay what they
// were, and the same bytes after a kill.
#include <cstring>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/safetensors.h"
#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "app/killed_run.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::TempFolder;

fs::path folder_of(const fs::path& logs) {
  return logs / "GoEmotions" / "e2e_0";
}

record::LoggedRun run_with(const fs::path& logs, const std::vector<std::string>& more) {
  const ProgramResult result = run_program(run_arguments(logs, more));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return record::read_run(folder_of(logs));
}

const files::SafetensorsTensor& tensor(const files::SafetensorsFile& file,
                                       const std::string& name) {
  for (const files::SafetensorsTensor& one : file.tensors()) {
    if (one.name == name) return one;
  }
  FAIL("no tensor " << name);
  return file.tensors().front();
}

template <class Number>
std::vector<Number> numbers(const files::SafetensorsFile& file, const std::string& name) {
  const files::SafetensorsTensor& from = tensor(file, name);
  std::vector<Number> values(from.bytes.size() / sizeof(Number));
  std::memcpy(values.data(), from.bytes.data(), from.bytes.size());
  return values;
}

void check_shares(const std::vector<record::AttentionShare>& found, const json& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].weight == Approx(expected[i][0].get<double>()).margin(1e-5));
    CHECK(found[i].n_positions == expected[i][1].get<std::int64_t>());
  }
}

const std::vector<std::string> kEverything = {
    "--hidden-states", "0,1,-1", "--at", "every-label", "--attention", "--attention-heads"};

}  // namespace

TEST_CASE("States and attention at label steps are those of transformers", "[e2e]") {
  const TempFolder folder;
  const json expected = json::parse(read_file(support::fixture("e2e/inside.json")));
  const record::LoggedRun plain = run_with(folder.path() / "plain", {});
  const record::LoggedRun run = run_with(folder.path() / "inside", kEverything);
  REQUIRE(run.items.size() == plain.items.size());
  for (std::size_t i = 0; i < plain.items.size(); ++i) {
    record::ItemRecord item = run.items[i];
    REQUIRE(item.label_attention);
    item.label_attention.reset();
    CHECK(item == plain.items[i]);
  }

  const auto file = files::SafetensorsFile::open(
      folder_of(folder.path() / "inside") / "hidden_states_0.safetensors", ErrorKind::Data);
  const auto states = numbers<float>(file, "states");
  const auto items = numbers<std::int64_t>(file, "item");
  const auto steps = numbers<std::int64_t>(file, "step");
  const json ids = json::parse(file.metadata().at("ids"));
  const std::vector<std::int64_t>& shape = tensor(file, "states").shape;
  REQUIRE(shape.size() == 3);
  CHECK(shape[1] == 3);
  CHECK(numbers<std::int64_t>(file, "layer") == std::vector<std::int64_t>{0, 1, -1});
  std::map<std::string, std::vector<std::size_t>> rows;
  for (std::size_t r = 0; r < items.size(); ++r) {
    rows[ids[static_cast<std::size_t>(items[r])]].push_back(r);
    CHECK(steps[r] == static_cast<std::int64_t>(rows[ids[items[r]]].size()));
  }
  double largest = 0.0;
  const auto n_per_row = static_cast<std::size_t>(shape[1] * shape[2]);
  for (const auto& [key, of] : expected["items"].items()) {
    INFO(key);
    REQUIRE(rows.at(key).size() == of["states"].size());
    for (std::size_t s = 0; s < of["states"].size(); ++s) {
      const float* found = states.data() + rows.at(key)[s] * n_per_row;
      for (const json& layer : of["states"][s]) {
        for (const double number : layer) largest = std::max(largest, std::abs(*found++ - number));
      }
    }
    for (const record::ItemRecord& item : run.items) {
      if (item.key != key) continue;
      check_shares(item.label_attention->input, of["attention"]["input"]);
      check_shares(item.label_attention->previous_labels, of["attention"]["prev_label"]);
      check_shares(item.label_attention->predicting_tokens, of["attention"]["only_label_token"]);
      check_shares(item.label_attention->label_tokens, of["attention"]["label_token"]);
    }
  }
  CHECK(largest < 1e-4);

  // Table 6: the mean over the steps of all items, of which the fixture has some.
  double sum = 0.0;
  std::size_t n = 0;
  for (const record::ItemRecord& item : run.items) {
    for (const record::AttentionShare& share : item.label_attention->previous_labels) {
      sum += static_cast<double>(share.weight) / static_cast<double>(share.n_positions);
      ++n;
    }
  }
  const std::string log = folder_of(folder.path() / "inside").string();
  const support::ProgramResult told = support::run_program({"attention", log, "--paper"});
  INFO(told.out << told.err);
  CHECK_THAT(told.out,
             ContainsSubstring(fmt::format("{:.3f}%", 100 * sum / static_cast<double>(n))) &&
                 ContainsSubstring("published, GoEmotions: 8B Base 2.04, 8B Instruct 2.08 "
                                   "(Label, %)"));
  CHECK_THAT(support::run_program({"attention", folder_of(folder.path() / "plain").string()}).err,
             ContainsSubstring("run with --attention"));
}

TEST_CASE("A killed run goes on and ends in the same states", "[e2e]") {
  const TempFolder folder;
  std::vector<std::string> more = kEverything;
  more.insert(more.end(), {"--batch-size", "2"});
  run_with(folder.path() / "whole", more);
  support::start_and_kill(run_arguments(folder.path() / "killed", more),
                          folder_of(folder.path() / "killed") / "journal_0.jsonl", 4000);
  more = kEverything;
  more.emplace_back("--no-share-prefixes");
  run_with(folder.path() / "killed", more);
  for (const char* name :
       {"hidden_states_0.safetensors", "attention_0.safetensors", "indexed_metrics.yml"}) {
    INFO(name);
    CHECK(read_file(folder_of(folder.path() / "killed") / name) ==
          read_file(folder_of(folder.path() / "whole") / name));
  }
  CHECK_FALSE(fs::exists(folder_of(folder.path() / "killed") / "hidden_states_0.rows"));
}

TEST_CASE("What cannot be looked at is refused with what can", "[e2e]") {
  const TempFolder folder;
  const auto refusal = [&](const std::vector<std::string>& more) {
    const ProgramResult result = run_program(run_arguments(folder.path(), more));
    CHECK(result.exit_code == 2);
    return result.err;
  };
  CHECK_THAT(refusal({"--hidden-states", "first"}),
             ContainsSubstring("expected a layer from 0 on, a range like 4-8, or -1"));
  CHECK_THAT(refusal({"--hidden-states", "0-3,2"}), ContainsSubstring("layer 2 is named twice"));
  CHECK_THAT(refusal({"--hidden-states", "900"}), ContainsSubstring("hidden_states is 900"));
  CHECK_THAT(refusal({"--linear-probing", "--distribution", "unary"}),
             ContainsSubstring("looked at where answers list labels"));
}

}  // namespace labelprobe
