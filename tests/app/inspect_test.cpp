// labelprobe inspect: numbers that add up, those of the log, and the same bytes in any schedule.
// What each number is, is held against transformers where the model is (inner_view_test).
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"
#include "support/json_lines.h"
#include "support/program.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::TempFolder;

std::vector<std::string> inspect_arguments(const fs::path& out,
                                           const std::vector<std::string>& more = {}) {
  const json expected = support::e2e_reference();
  std::vector<std::string> arguments = {"inspect", "GoEmotions"};
  for (const auto& flag : expected["flags"]) arguments.push_back(flag);
  arguments.insert(arguments.end(),
                   {"--max-new-tokens", std::to_string(expected["max_new_tokens"].get<int>()),
                    "--model-name-or-path", support::fixture("e2e/model").string(), "--device",
                    "cpu", "--out", out.string()});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void check_sum(const std::vector<const json*>& rows, const json& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    double sum = 0.0;
    for (const json* row : rows) sum += (*row)[i].get<double>();
    CHECK(sum == Approx(expected[i].get<double>()).margin(1e-4));
  }
}

}  // namespace

TEST_CASE("Lens, parts and attention add up to the logits of the log", "[e2e]") {
  const TempFolder folder;
  const fs::path out = folder.path() / "looks.jsonl";
  const ProgramResult result = run_program(inspect_arguments(
      out, {"--lens-vocabulary", "--summary-out", (folder.path() / "summary.json").string()}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("p written"));
  CHECK_THAT(result.out, ContainsSubstring("demonstrations"));
  CHECK_THAT(result.out, ContainsSubstring("rank of all"));
  REQUIRE(run_program(support::run_arguments(folder.path())).exit_code == 0);
  const record::LoggedRun run = record::read_run(folder.path() / "GoEmotions" / "e2e_0");

  const std::vector<json> lines = support::json_lines(read_file(out));
  REQUIRE(lines.size() == run.items.size());
  std::size_t n_steps = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const json& line = lines[i];
    const std::string id = line["id"];
    INFO(id);
    // Logs are ordered by their keys, and labels in them by their names.
    const auto item = std::find_if(run.items.begin(), run.items.end(),
                                   [&](const record::ItemRecord& one) { return one.key == id; });
    REQUIRE(item != run.items.end());
    CHECK(line["answer"] == item->outs);
    REQUIRE(line["steps"].size() == item->label_steps.size());
    for (std::size_t t = 0; t < line["steps"].size(); ++t) {
      const json& step = line["steps"][t];
      const record::LabelStep& logged = item->label_steps[t];
      ++n_steps;
      CHECK(step["index"] == *logged.index);
      std::map<std::string, float> logits;
      for (std::size_t l = 0; l < line["labels"].size(); ++l) {
        logits[line["labels"][l]] = step["logits"][l].get<float>();
      }
      CHECK(logits == std::map<std::string, float>(logged.logits.begin(), logged.logits.end()));
      check_sum({&step["lens"].back()}, step["logits"]);
      CHECK(step["lens_log_sum_exp"].back() == step["log_sum_exp"]);
      // One of the labels' tokens is what was written, the likeliest of all.
      const auto ranks = step["lens_ranks"].back().get<std::vector<int>>();
      REQUIRE(ranks.size() == line["labels"].size());
      CHECK(*std::min_element(ranks.begin(), ranks.end()) == 1);
      std::vector<const json*> parts;
      for (const json& part : step["parts"]) parts.push_back(&part);
      check_sum(parts, step["logits"]);
      const std::size_t n_layers = step["lens"].size() - 1;
      CHECK(step["lens_ranks"].size() == n_layers + 1);
      for (std::size_t layer = 0; layer < n_layers; ++layer) {
        std::vector<const json*> of_text;
        double attention = 0.0;
        for (const json& part : step["text_parts"]) {
          of_text.push_back(&part["adds"][layer]);
          attention += part["attention"][layer].get<double>();
        }
        check_sum(of_text, step["parts"][2 * layer + 1]);
        CHECK(attention == Approx(1.0).margin(1e-5));
      }
    }
  }
  const json summary = json::parse(read_file(folder.path() / "summary.json"));
  CHECK(summary["n_steps"] == n_steps);
  CHECK(summary["layers"].back()["vocabulary_rank"] == 1.0);
}

TEST_CASE("Looks inside are the same bytes in any schedule", "[e2e]") {
  const TempFolder folder;
  const fs::path first = folder.path() / "first.jsonl";
  const fs::path second = folder.path() / "second.jsonl";
  REQUIRE(run_program(inspect_arguments(first, {"--limit", "12"})).exit_code == 0);
  REQUIRE(run_program(inspect_arguments(
                          second, {"--limit", "12", "--batch-size", "5", "--no-share-prefixes"}))
              .exit_code == 0);
  CHECK(read_file(first) == read_file(second));
}

TEST_CASE("Answers that list no labels are refused", "[e2e]") {
  const TempFolder folder;
  const ProgramResult result =
      run_program(inspect_arguments(folder.path() / "looks.jsonl", {"--distribution", "unary"}));
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("inspect looks at answers that list labels"));
}

}  // namespace labelprobe
