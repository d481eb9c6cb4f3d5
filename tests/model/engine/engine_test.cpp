// What must not change an answer, and what must.
#include "model/engine/engine.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "labelprobe/core/error.h"
#include "labelprobe/model/open.h"

#include "model/engine/model_info.h"
#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tangled_prompts.h"
#include "support/tight_memory.h"
#include "support/tolerance.h"

namespace labelprobe::model {
namespace {}  // namespace

TEST_CASE("Prompts longer than a pack of rows are computed in parts", "[model]") {
  const auto prompts = tangled_prompts();
  const auto expected = support::generate_all(*open_tiny(), prompts, steps(4));
  weights::Checkpoint checkpoint = weights::Checkpoint::open(kTiny);
  const c10::Device cpu(c10::DeviceType::CPU);
  const ModelInfo info = describe(checkpoint, DType::Float32, Quantization::None);
  Engine engine(Decoder(checkpoint, DType::Float32, cpu), info, {16, 256, std::size_t{1} << 30});
  check_equal_bits(support::generate_all(engine, prompts, steps(4)), expected);
}

TEST_CASE("Little room for keys and values makes small chunks, down to one sequence", "[model]") {
  const auto prompts = tangled_prompts();
  const auto expected = support::generate_all(*open_tiny(), prompts, steps(4));
  weights::Checkpoint checkpoint = weights::Checkpoint::open(kTiny);
  const c10::Device cpu(c10::DeviceType::CPU);
  const ModelInfo info = describe(checkpoint, DType::Float32, Quantization::None);
  Engine engine(Decoder(checkpoint, DType::Float32, cpu), info, {1024, 256, 1});
  int n_batches = 0;
  engine.generate(prompts, steps(4), [&](auto) { ++n_batches; });
  CHECK(n_batches == static_cast<int>(std::set(prompts.begin(), prompts.end()).size()));
  check_equal_bits(support::generate_all(engine, prompts, steps(4)), expected);
}

TEST_CASE("Where memory runs out, less is computed at a time, with the same answers", "[model]") {
  const auto prompts = tangled_prompts();
  const auto tiny = open_tiny();
  GenerateOptions options = steps(4);
  options.batch_size = GENERATE(0, 20);
  const auto expected = support::generate_all(*tiny, prompts, options);
  CHECK(tiny->effort().n_batches_halved == 0);
  const std::size_t n_largest = GENERATE(60000, 70000);
  std::vector<Generation> answers;
  const auto tight = open_tiny();
  {
    const TightMemory memory(n_largest);
    answers = support::generate_all(*tight, prompts, options);
  }
  CHECK(tight->effort().n_batches_halved > 0);
  check_equal_bits(answers, expected);
  // What a call ran short of does not slow the next one.
  const int n_halved = tight->effort().n_batches_halved;
  check_equal_bits(support::generate_all(*tight, prompts, options), expected);
  CHECK(tight->effort().n_batches_halved == n_halved);
}

TEST_CASE("Without memory for one prompt the error says what to do", "[model]") {
  const auto tiny = open_tiny();
  const TightMemory memory(500);
  CHECK_THROWS_WITH(support::generate_all(*tiny, tangled_prompts(), steps(4)),
                    ContainsSubstring("out of memory on cpu with a single prompt"));
}

TEST_CASE("Watched and top logits are those of all logits", "[model]") {
  const auto prompts = tangled_prompts();
  GenerateOptions options = steps(3);
  options.watched = {5, 0, 127, 5};
  options.n_top_tokens = 6;
  for (const Generation& answer : support::generate_all(*open_tiny(), prompts, options)) {
    REQUIRE(answer.steps.size() == answer.token_ids.size());
    REQUIRE(answer.logits.size() == answer.steps.size() * kVocab);
    for (std::size_t t = 0; t < answer.steps.size(); ++t) {
      const float* logits = answer.logits.data() + t * kVocab;
      double total = 0;
      for (int id = 0; id < kVocab; ++id) total += std::exp(double{logits[id]});
      CHECK(std::abs(answer.steps[t].log_sum_exp - std::log(total)) < 1e-5);
      const Step& step = answer.steps[t];
      CHECK(step.watched_logits ==
            std::vector<float>{logits[5], logits[0], logits[127], logits[5]});
      std::vector<TokenId> order(kVocab);
      for (int id = 0; id < kVocab; ++id) order[id] = id;
      std::stable_sort(order.begin(), order.end(),
                       [&](TokenId a, TokenId b) { return logits[a] > logits[b]; });
      REQUIRE(step.top_tokens.size() == 6);
      for (std::size_t k = 0; k < 6; ++k) {
        CHECK(step.top_tokens[k].id == order[k]);
        CHECK(step.top_tokens[k].logit == logits[order[k]]);
      }
      CHECK(answer.token_ids[t] == order[0]);
    }
  }
}

TEST_CASE("A sequence ends after an end token or a complete answer, and the others go on",
          "[model]") {
  const auto prompts = tangled_prompts();
  const auto tiny = open_tiny();
  const auto free = support::generate_all(*tiny, prompts, steps(6));
  GenerateOptions options = steps(6);
  options.stop.end_ids = {free[0].token_ids[1], free[5].token_ids[3]};
  options.stop.is_complete = [&](std::span<const TokenId> ids) {
    return ids.size() == 5 && ids.back() % 2 == 0;
  };
  const auto answers = support::generate_all(*tiny, prompts, options);
  std::size_t n_early = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    TokenIds expected;
    for (const TokenId id : free[i].token_ids) {
      expected.push_back(id);
      const auto& ends = options.stop.end_ids;
      if (std::find(ends.begin(), ends.end(), id) != ends.end()) break;
      if (options.stop.is_complete(expected)) break;
    }
    CHECK(answers[i].token_ids == expected);
    CHECK(answers[i].steps.size() == expected.size());
    n_early += expected.size() < 6;
  }
  CHECK(n_early > 1);
  CHECK(n_early < prompts.size());
}

TEST_CASE("Each prompt generates as many tokens as it asked for", "[model]") {
  auto prompts = tangled_prompts();
  const auto again = prompts;
  prompts.insert(prompts.end(), again.begin(), again.begin() + 20);
  GenerateOptions options = steps(6);
  const auto all = support::generate_all(*open_tiny(), prompts, options);
  std::mt19937 random(11);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    options.n_new_tokens.push_back(1 + static_cast<int>(random() % 6));
  }
  options.batch_size = GENERATE(0, 4);
  auto expected = all;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    expected[i].token_ids.resize(options.n_new_tokens[i]);
    expected[i].logits.resize(std::size_t{kVocab} * options.n_new_tokens[i]);
  }
  const auto answers = support::generate_all(*open_tiny(), prompts, options);
  check_equal_bits(answers, expected);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CHECK(answers[i].steps.size() == answers[i].token_ids.size());
  }
}

TEST_CASE("The beginning of another prompt costs no forward pass", "[model]") {
  const auto tiny = open_tiny();
  const std::vector<TokenIds> prompts = {{3, 9, 9, 40, 7}, {3, 9, 9, 40}};
  GenerateOptions options = steps(4);
  options.n_new_tokens = {4, 1};
  const auto answers = support::generate_all(*tiny, prompts, options);
  CHECK(answers[1].token_ids.size() == 1);
  CHECK(tiny->effort().n_prompt_tokens_computed == 5);
  CHECK(tiny->effort().n_generated_tokens == 5);
}

TEST_CASE("A prompt needs room for its own new tokens only", "[model]") {
  const auto tiny = open_tiny();
  const TokenIds longest(tiny->info().max_context, 1);
  const std::vector<TokenIds> prompts = {longest, longest};
  GenerateOptions options = steps(2);
  options.n_new_tokens = {1, 2};
  const auto answers = support::generate_all(*tiny, prompts, options);
  CHECK(answers[0].token_ids.size() == 1);
  REQUIRE(answers[1].failure);
  CHECK_THAT(*answers[1].failure, ContainsSubstring("2 new ones were asked for"));
}

TEST_CASE("The repetition penalty acts on every token of prompt and output once", "[model]") {
  const std::vector<TokenIds> prompts = {{3, 9, 9, 40}, {3, 9, 11}};
  const auto tiny = open_tiny();
  const auto plain = support::generate_all(*tiny, prompts, steps(1));
  GenerateOptions options = steps(1);
  options.rules.repetition_penalty = 1.5;
  const auto penalized = support::generate_all(*tiny, prompts, options);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::vector<float> expected = plain[i].logits;
    for (const TokenId id : std::set<TokenId>(prompts[i].begin(), prompts[i].end())) {
      expected[id] = expected[id] < 0 ? expected[id] * 1.5f : expected[id] / 1.5f;
    }
    CHECK(support::differences(penalized[i].logits, expected, 1e-6) == "");
  }
  // A generated token is penalized from the next step on: no token wins for ever.
  options.stop.max_new_tokens = 12;
  options.rules.repetition_penalty = 1e6;
  const auto varied = support::generate_all(*tiny, prompts, options);
  const std::set<TokenId> distinct(varied[0].token_ids.begin(), varied[0].token_ids.end());
  CHECK(distinct.size() == varied[0].token_ids.size());
}

TEST_CASE("A prompt that cannot be run is a failure of its own", "[model]") {
  const auto tiny = open_tiny();
  const int max_context = tiny->info().max_context;
  const std::vector<TokenIds> prompts = {
      {}, {1, kVocab}, {1, -1}, TokenIds(max_context, 1), {1, 2}, TokenIds(max_context - 1, 1)};
  const auto answers = support::generate_all(*tiny, prompts, steps(2));
  for (const std::size_t i : {0, 1, 2, 3}) {
    REQUIRE(answers[i].failure);
    CHECK(answers[i].token_ids.empty());
  }
  CHECK_THAT(*answers[0].failure, ContainsSubstring("empty"));
  CHECK_THAT(*answers[1].failure,
             ContainsSubstring("token 128 at position 1 of the prompt is not in the vocabulary"));
  CHECK_THAT(*answers[2].failure, ContainsSubstring("token -1"));
  CHECK_THAT(*answers[3].failure, ContainsSubstring("context has 128 positions"));
  CHECK_FALSE(answers[4].failure);
  CHECK_FALSE(answers[5].failure);
}

TEST_CASE("A text longer than the sliding window is computed", "[model]") {
  const auto mistral = open(support::fixture("model/mistral"), {.device = "cpu", .n_threads = 2});
  CHECK(mistral->info().attention_window == 27);
  CHECK(mistral->info().max_context == 128);
  const std::vector<TokenIds> prompts = {TokenIds(127, 1), TokenIds(128, 1)};
  const auto answers = support::generate_all(*mistral, prompts, steps(2));
  CHECK_FALSE(answers[0].failure);
  REQUIRE(answers[1].failure);
  CHECK(*answers[1].failure ==
        "the prompt has 128 tokens and 2 new ones were asked for, but the model's context has 128 "
        "positions");
}

TEST_CASE("Whoever watches is told of every step", "[model]") {
  const auto tiny = open_tiny();
  GenerateOptions options = steps(6);
  std::vector<std::int64_t> n_generated;
  options.on_work = [&](const Effort& effort) { n_generated.push_back(effort.n_generated_tokens); };
  const std::vector<TokenIds> prompts = {{5, 6, 7}, {5, 6, 8}};
  support::generate_all(*tiny, prompts, options);
  // After the prompts, and after each of the six steps of two answers.
  CHECK(n_generated == std::vector<std::int64_t>{0, 2, 4, 6, 8, 10, 12});
}

TEST_CASE("No prompts are no work", "[model]") {
  const auto tiny = open_tiny();
  CHECK(support::generate_all(*tiny, std::vector<TokenIds>{}, steps(2)).empty());
  CHECK(tiny->effort().n_prompt_tokens_computed == 0);
}

TEST_CASE("An exception of the sink ends the call and leaves the model usable", "[model]") {
  const auto tiny = open_tiny();
  const std::vector<TokenIds> prompts = {{1, 2}, {3, 4}};
  GenerateOptions options = steps(1);
  options.batch_size = 1;
  int n_batches = 0;
  const auto stop_at_once = [&](std::span<std::pair<std::size_t, Generation>>) {
    ++n_batches;
    throw DataError("the disk is full");
  };
  CHECK_THROWS_AS(tiny->generate(prompts, options, stop_at_once), DataError);
  CHECK(n_batches == 1);
  CHECK(support::generate_all(*tiny, prompts, options)[1].token_ids.size() == 1);
}

TEST_CASE("Options that make no sense are refused before any work", "[model]") {
  const auto tiny = open_tiny();
  const std::vector<TokenIds> prompts = {{1}};
  GenerateOptions options = steps(0);
  CHECK_THROWS_AS(support::generate_all(*tiny, prompts, options), ConfigError);
  options = steps(1);
  options.watched = {kVocab};
  CHECK_THROWS_WITH(support::generate_all(*tiny, prompts, options),
                    ContainsSubstring("watched token 128"));
  options = steps(3);
  options.n_new_tokens = {4};
  CHECK_THROWS_WITH(support::generate_all(*tiny, prompts, options),
                    ContainsSubstring("n_new_tokens of prompt 0 is 4; expected 1 to"));
  options.n_new_tokens = {0};
  CHECK_THROWS_AS(support::generate_all(*tiny, prompts, options), ConfigError);
  options.n_new_tokens = {1, 1};
  CHECK_THROWS_AS(support::generate_all(*tiny, prompts, options), InternalError);
  options = steps(1);
  options.rules.repetition_penalty = 0;
  CHECK_THROWS_AS(support::generate_all(*tiny, prompts, options), ConfigError);
}

TEST_CASE("A device that is not there is named with what is missing", "[model]") {
  const auto open_on = [](const std::string& device) { return open(kTiny, {.device = device}); };
  CHECK_THROWS_WITH(open_on("tpu"), ContainsSubstring("unknown device 'tpu'"));
  CHECK_THROWS_WITH(open_on("cuda:x"), ContainsSubstring("unknown device 'cuda:x'"));
  if (std::filesystem::exists("/dev/nvidiactl")) SKIP_ALOUD("this machine has an NVIDIA driver");
  CHECK_THROWS_WITH(open_on("cuda"), ContainsSubstring("no NVIDIA driver"));
  CHECK_THROWS_AS(open_on("cuda:3"), ConfigError);
  CHECK(open_on("auto")->info().device == "cpu");
}

}  // namespace labelprobe::model
