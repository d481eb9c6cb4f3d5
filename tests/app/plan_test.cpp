// labelprobe plan: what it tells of a run on a card, and what it says of mistakes.
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using support::fixture;
using support::ProgramResult;
using support::run_program;
using support::TempFolder;

std::vector<std::string> plan_of(const std::string& model, const std::vector<std::string>& more) {
  std::vector<std::string> words = {
      "plan",    "GoEmotions", "--config", "configs/example/config.yaml",
      "--limit", "5",          "--model",  model};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string small_model() {
  return fixture("e2e/model").string();
}

nlohmann::json json_of(const std::string& model, std::vector<std::string> more) {
  more.insert(more.end(), {"--json", "-"});
  const ProgramResult result = run_program(plan_of(model, more));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return nlohmann::json::parse(result.out);
}

}  // namespace

TEST_CASE("A plan tells time and memory of a card that is not here", "[e2e]") {
  const ProgramResult result = run_program(plan_of(small_model(), {"--device", "h200"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("on NVIDIA H200 SXM, 141 GB") &&
                             ContainsSubstring("prompts  products") &&
                             ContainsSubstring("answers  attention") &&
                             ContainsSubstring("blocks of attention") &&
                             ContainsSubstring("keys and values") && ContainsSubstring("there is"));
}

TEST_CASE("The numbers of a plan add up", "[e2e]") {
  const nlohmann::json plans = json_of(small_model(), {"--device", "a40"});
  REQUIRE(plans.size() == 1);
  const nlohmann::json& plan = plans[0];
  CHECK(plan["card"] == "a40");
  CHECK(plan["items"] == 5);
  double seconds = 0;
  for (const nlohmann::json& line : plan["lines"]) seconds += line["seconds"].get<double>();
  const double told = plan["load_seconds"].get<double>() + plan["run_seconds"].get<double>();
  CHECK(std::abs(seconds - told) < 1e-9 * told);
  CHECK(plan["lines"][1]["work"] == "weights");
}

TEST_CASE("A plan counts what readouts compute", "[e2e]") {
  const auto plan = [](const std::vector<std::string>& more) {
    std::vector<std::string> flags = {"--device", "h200"};
    flags.insert(flags.end(), more.begin(), more.end());
    return json_of(small_model(), flags)[0];
  };
  const nlohmann::json without = plan({});
  const nlohmann::json with = plan({"--readouts", "marginal_exact"});
  CHECK(without["readout_tokens_per_prompt"] == 0);
  const auto n_each = with["readout_tokens_per_prompt"].get<std::int64_t>();
  CHECK(n_each > 256);
  CHECK(with["run_seconds"].get<double>() > without["run_seconds"].get<double>());
  std::int64_t n_rows = 0;
  for (const nlohmann::json& line : with["lines"]) {
    if (line["phase"] == "readouts" && line["work"] == "products")
      n_rows += line["rows"].get<std::int64_t>();
  }
  CHECK(std::abs(static_cast<double>(n_rows) - 5.0 * static_cast<double>(n_each)) <= 20.0);
  CHECK(plan({"--readouts", "mc", "--readout-samples", "10"})["readout_tokens_per_prompt"] <
        n_each);
}

TEST_CASE("A plan takes a shape and a tokenizer in place of a model", "[e2e]") {
  const std::vector<std::string> flags = {"--tokenizer", small_model(), "--model-dtype",
                                          "bfloat16",    "--device",    "h100"};
  const nlohmann::json plan = json_of("llama-3.1-70b", flags)[0];
  CHECK(plan["dtype"] == "bfloat16");
  CHECK_THAT(plan["advice"].get<std::string>(),
             ContainsSubstring("does not fit") || ContainsSubstring("do not fit"));
  auto packed = flags;
  packed.insert(packed.end(), {"--quant", "fp4"});
  CHECK(json_of("llama-3.1-70b", packed)[0]["advice"] == "");
}

TEST_CASE("A grid of plans ends with their sum", "[e2e]") {
  const ProgramResult result =
      run_program(plan_of(small_model(), {"--device", "h200", "--shot", "2", "5"}));
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("shot 2: ") && ContainsSubstring("shot 5: ") &&
                             ContainsSubstring("all 2 settings: run "));
}

TEST_CASE("The numbers of a plan go to a file", "[e2e]") {
  const TempFolder folder;
  const std::string path = (folder.path() / "plan.json").string();
  const ProgramResult result =
      run_program(plan_of(small_model(), {"--device", "l4", "--json", path}));
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("NVIDIA L4"));
  CHECK(nlohmann::json::parse(support::read_file(path))[0]["card"] == "l4");
}

TEST_CASE("A dry run for a card that is not here shows a budget and the time", "[e2e]") {
  const TempFolder folder;
  const auto dry_run_on = [&](const std::string& card) {
    const ProgramResult result = run_program(
        {"run", "GoEmotions", "--config", "configs/example/config.yaml", "--limit", "5", "--model",
         small_model(), "--log-root", folder.path().string(), "--dry-run", "--device", card});
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result;
  };
  const ProgramResult on_card = dry_run_on("a40");
  CHECK_THAT(on_card.out, ContainsSubstring("on NVIDIA A40, 48 GB") &&
                              ContainsSubstring("workspaces of the libraries") &&
                              ContainsSubstring("nothing was run"));
  CHECK_THAT(on_card.err, !ContainsSubstring("a40"));
  CHECK_THAT(dry_run_on("cpu").out, !ContainsSubstring("workspaces of the libraries"));
  CHECK_THAT(run_program({"ls", "cards"}).out,
             ContainsSubstring("a40") && ContainsSubstring("cpu"));
}

TEST_CASE("Mistakes in a plan are named", "[e2e]") {
  const auto error_of = [](const std::string& model, const std::vector<std::string>& more) {
    const ProgramResult result = run_program(plan_of(model, more));
    CHECK(result.exit_code == 2);
    return result.err;
  };
  CHECK_THAT(error_of(small_model(), {"--device", "h20"}),
             ContainsSubstring("--device: unknown card 'h20'; did you mean 'h200'? (known: b200, "
                               "h200, h100, "));
  CHECK_THAT(error_of(small_model(), {}), ContainsSubstring("unknown card 'auto'"));
  CHECK_THAT(error_of("llama-3.1-8b", {"--device", "h200"}),
             ContainsSubstring("--tokenizer: llama-3.1-8b is a shape without a tokenizer"));
  CHECK_THAT(error_of(small_model(), {"--device", "h200", "--disk-rate", "0"}),
             ContainsSubstring("--disk-rate: expected more than 0 GB a second, found 0"));
  CHECK(run_program(plan_of("llama-3.1-9b", {"--device", "h200"})).exit_code == 4);
}

}  // namespace labelprobe
