// Models that two processes compute together, against one process.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/processes.h"
#include "support/tiny_model.h"

namespace labelprobe::model {
namespace {

using nlohmann::json;

constexpr double kAllowedTogether = 1e-5;

struct Case {
  std::string name;
  std::filesystem::path path;
  OpenOptions options;
  std::vector<TokenIds> prompts;
  std::vector<float> alone;
};

const std::vector<TokenIds> kPromptsTogether = {{18, 5, 5, 12, 42, 20, 12, 30}, {18, 5, 5, 9, 11}};

std::vector<float> logits_of(const Case& one) {
  const auto language_model = open(one.path, one.options);
  GenerateOptions options;
  options.stop.max_new_tokens = 2;
  options.keep_logits = true;
  std::vector<float> all;
  for (const Generation& answer : support::generate_all(*language_model, one.prompts, options)) {
    INFO(one.name << ": " << answer.failure.value_or("computed"));
    REQUIRE_FALSE(answer.failure);
    all.insert(all.end(), answer.logits.begin(), answer.logits.end());
  }
  return all;
}

// Every family as its makers store it and in 4 and 8 bits, and once in fewer bits.
std::vector<Case> cases_in(const std::filesystem::path& folder) {
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const std::filesystem::path& path,
                       const std::vector<TokenIds>& prompts, Quantization quantization,
                       DType dtype = DType::Float32) {
    const OpenOptions options = {
        .dtype = dtype, .device = "cpu", .n_threads = 1, .quantization = quantization};
    cases.push_back({name, path, options, prompts, {}});
  };
  int next = 0;
  for (const char* fixture : {"model/families.json", "model/attention_forms.json"}) {
    for (const json& model : support::read_json(support::fixture(fixture))["models"]) {
      const std::string name = model["name"];
      support::write_tiny_model(model, folder / name);
      std::vector<TokenIds> prompts;
      for (const json& one : model["prompts"]) prompts.push_back(one["prompt_ids"].get<TokenIds>());
      add(name, folder / name, prompts, Quantization::None);
      const std::array modes = {Quantization::Nf4, Quantization::Int8, Quantization::Nf4Double};
      if (name != "gpt_oss_mxfp4") add(name, folder / name, prompts, modes[next++ % modes.size()]);
    }
  }
  for (const char* name : {"llama_biases", "llama_untied_head", "llama_mha", "qwen2"}) {
    add(name, support::fixture(std::string("model/") + name), kPromptsTogether, Quantization::None);
  }
  add("llama_mha", support::fixture("model/llama_mha"), kPromptsTogether, Quantization::None,
      DType::BFloat16);
  return cases;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

bool has_program() {
  return std::filesystem::exists(support::build_folder() / "labelprobe");
}

}  // namespace

TEST_CASE("Two processes compute in every family what one computes", "[model]") {
  if (!has_program()) SKIP_ALOUD("the other process is build/labelprobe, which is not built");
  const support::TempFolder folder;
  std::vector<Case> cases = cases_in(folder.path());
  for (Case& one : cases) one.alone = logits_of(one);
  support::FirstOfProcesses two(2);
  for (const Case& one : cases) {
    INFO(one.name << ", quantised as " << static_cast<int>(one.options.quantization));
    const std::vector<float> together = logits_of(one);
    CHECK(largest_difference(together, one.alone) < kAllowedTogether);
  }
  const auto others = two.end(0);
  CHECK(others.at(0).exit_code == 0);
  CHECK(others.at(0).err.empty());
}

TEST_CASE("Processes that have the same heads of keys compute what one computes", "[model]") {
  if (!has_program()) SKIP_ALOUD("the other processes are build/labelprobe, which is not built");
  // Four heads of queries on two of keys.
  Case one{"llama_gqa",
           support::fixture("model/llama_gqa_llama3_rope"),
           {.device = "cpu", .n_threads = 1},
           kPromptsTogether,
           {}};
  one.alone = logits_of(one);
  support::FirstOfProcesses four(4);
  CHECK(largest_difference(logits_of(one), one.alone) < kAllowedTogether);
}

TEST_CASE("What one process cannot have a part of is refused, and the others go on", "[model]") {
  if (!has_program()) SKIP_ALOUD("the other processes are build/labelprobe, which is not built");
  support::FirstOfProcesses three(3);
  const Case refused{"",
                     support::fixture("model/llama_gqa_llama3_rope"),
                     {.device = "cpu", .n_threads = 1},
                     kPromptsTogether,
                     {}};
  CHECK_THROWS_WITH(logits_of(refused),
                    ContainsSubstring("heads of keys") && ContainsSubstring("found 3"));
  CHECK_THROWS_WITH(open(refused.path, {.device = "cuda:0"}), ContainsSubstring("GPU of its own"));
  CHECK_THROWS_AS(open(support::fixture("model/llama_none"), {.device = "cpu"}), ModelError);
  CHECK(three.end(7).at(1).exit_code == 7);
}

TEST_CASE("A process that dies ends the work of the others within ten seconds", "[model]") {
  if (!has_program()) SKIP_ALOUD("the other process is build/labelprobe, which is not built");
  support::FirstOfProcesses two(2);
  const auto language_model =
      open(support::fixture("model/llama_mha"), {.device = "cpu", .n_threads = 1});
  GenerateOptions options;
  options.stop.max_new_tokens = 1;
  options.batch_size = 1;
  std::vector<TokenIds> prompts;
  for (TokenId i = 0; i < 60; ++i) prompts.push_back({i, 5, 9, 11});
  std::chrono::steady_clock::time_point killed;
  const auto kill_other = [&](const auto&) {
    if (killed.time_since_epoch().count() != 0) return;
    killed = std::chrono::steady_clock::now();
    ::kill(two.pid_of(1), SIGKILL);
  };
  CHECK_THROWS_WITH(
      language_model->generate(prompts, options, kill_other),
      ContainsSubstring("process 2 of 2 has ended") && ContainsSubstring("goes on where it was"));
  CHECK(std::chrono::steady_clock::now() - killed < std::chrono::seconds(10));
}

}  // namespace labelprobe::model
