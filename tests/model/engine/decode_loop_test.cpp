// Steps that run ahead of their readings give what steps one after the other give.
#include "model/engine/decode_loop.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <c10/util/Exception.h>

#include "labelprobe/model/language_model.h"

#include "model/engine/engine.h"
#include "model/engine/model_info.h"
#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"

namespace labelprobe::model {
namespace {

constexpr int kLoopVocab = 128;
constexpr int kContext = 128;
constexpr int kRowsPerStep = 12;  // with twice as many sequences there is no drafting

Engine open_for_reading(Reading reading) {
  weights::Checkpoint checkpoint =
      weights::Checkpoint::open(support::fixture("model/llama_gqa_llama3_rope"));
  const c10::Device cpu(c10::DeviceType::CPU);
  ModelInfo info = describe(checkpoint, DType::Float32, Quantization::None);
  return {Decoder(checkpoint, DType::Float32, cpu),
          std::move(info),
          {1024, 128, std::size_t{1} << 30, kRowsPerStep, reading}};
}

std::vector<TokenIds> prompts_with_common_stem(int n_prompts) {
  std::mt19937 random(9);
  TokenIds stem(30);
  for (TokenId& id : stem) id = static_cast<TokenId>(random() % kLoopVocab);
  std::vector<TokenIds> prompts;
  for (int i = 0; i < n_prompts; ++i) {
    TokenIds prompt(stem.begin(), stem.begin() + 20 + i % 11);
    for (int t = 0; t < 1 + i % 5; ++t)
      prompt.push_back(static_cast<TokenId>(random() % kLoopVocab));
    prompts.push_back(prompt);
  }
  return prompts;
}

GenerateOptions steps_of_loop(int n) {
  GenerateOptions options;
  options.stop.max_new_tokens = n;
  options.watched = {5, 0, 127};
  options.n_top_tokens = 4;
  return options;
}

std::vector<Generation> answers_of(Reading reading,
                                   std::span<const TokenIds> prompts,
                                   const GenerateOptions& options) {
  Engine engine = open_for_reading(reading);
  return support::generate_all(engine, prompts, options);
}

void check_equal(const std::vector<Generation>& found, const std::vector<Generation>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    REQUIRE(found[i].token_ids == expected[i].token_ids);
    REQUIRE(found[i].steps.size() == expected[i].steps.size());
    CHECK(found[i].logits == expected[i].logits);
    for (std::size_t t = 0; t < found[i].steps.size(); ++t) {
      const Step& step = found[i].steps[t];
      const Step& wanted = expected[i].steps[t];
      CHECK(step.log_sum_exp == wanted.log_sum_exp);
      CHECK(step.watched_logits == wanted.watched_logits);
      REQUIRE(step.top_tokens.size() == wanted.top_tokens.size());
      for (std::size_t k = 0; k < step.top_tokens.size(); ++k) {
        CHECK(step.top_tokens[k].logit == wanted.top_tokens[k].logit);
      }
    }
  }
}

}  // namespace

TEST_CASE("Steps that run ahead have the bits of steps one after the other", "[model]") {
  const auto prompts = prompts_with_common_stem(GENERATE(1, 5, 40));
  GenerateOptions options = steps_of_loop(9);
  options.share_prefixes = GENERATE(true, false);
  check_equal(answers_of(Reading::DuringNextStep, prompts, options),
              answers_of(Reading::BeforeNextStep, prompts, options));
}

TEST_CASE("What a sequence chooses after its end is dropped", "[model]") {
  const auto prompts = prompts_with_common_stem(40);
  const auto free = answers_of(Reading::BeforeNextStep, prompts, steps_of_loop(10));
  GenerateOptions options = steps_of_loop(10);
  options.stop.end_ids = {free[0].token_ids[1], free[5].token_ids[3]};
  options.stop.is_complete = [](std::span<const TokenId> ids) {
    return ids.size() > 2 && ids.back() % 7 == 0;
  };
  options.batch_size = GENERATE(0, 3, 17);
  const auto expected = answers_of(Reading::BeforeNextStep, prompts, options);
  const auto is_early = [](const Generation& answer) { return answer.token_ids.size() < 10; };
  const auto n_early = std::count_if(expected.begin(), expected.end(), is_early);
  CHECK(n_early > 0);
  CHECK(n_early < 40);
  check_equal(answers_of(Reading::DuringNextStep, prompts, options), expected);
}

TEST_CASE("A sequence that has ended stays in its own place", "[model]") {
  // Few end early, one of them at the end of the context: the others go on with their rows.
  auto prompts = prompts_with_common_stem(32);
  prompts[7] = TokenIds(kContext - 2, 3);
  GenerateOptions options = steps_of_loop(12);
  options.n_new_tokens.assign(32, 12);
  for (const std::size_t i : {0, 7, 20}) options.n_new_tokens[i] = 2;
  check_equal(answers_of(Reading::DuringNextStep, prompts, options),
              answers_of(Reading::BeforeNextStep, prompts, options));
}

TEST_CASE("Where memory runs out among steps that run ahead, the answers are the same", "[model]") {
  const auto prompts = prompts_with_common_stem(30);
  GenerateOptions options = steps_of_loop(8);
  const auto expected = answers_of(Reading::BeforeNextStep, prompts, options);
  int n_before_failure = GENERATE(40, 100);
  options.stop.is_complete = [&](std::span<const TokenId>) {
    if (n_before_failure-- == 0)
      throw c10::OutOfMemoryError(c10::SourceLocation{}, "as if memory had run out");
    return false;
  };
  Engine engine = open_for_reading(Reading::DuringNextStep);
  check_equal(support::generate_all(engine, prompts, options), expected);
  CHECK(engine.effort().n_batches_halved == 1);
}

TEST_CASE("Steps wait for what the host knows where it changes them", "[model]") {
  const auto prompts = prompts_with_common_stem(20);
  GenerateOptions options = steps_of_loop(6);
  SECTION("a penalty on tokens") {
    options.rules.repetition_penalty = 1.4;
  }
  SECTION("all logits") {
    options.keep_logits = true;
  }
  check_equal(answers_of(Reading::DuringNextStep, prompts, options),
              answers_of(Reading::BeforeNextStep, prompts, options));
}

TEST_CASE("Tokens are drafted where steps have few rows, even if others run ahead", "[model]") {
  const int n_prompts = GENERATE(4, 8);
  const auto prompts = prompts_with_common_stem(n_prompts);
  GenerateOptions options = steps_of_loop(6);
  const auto expected = answers_of(Reading::BeforeNextStep, prompts, options);
  int n_asked = 0;
  options.draft = [&](std::span<const TokenId>) {
    ++n_asked;
    return TokenIds{1};
  };
  check_equal(answers_of(Reading::DuringNextStep, prompts, options), expected);
  CHECK((n_asked > 0) == (2 * n_prompts <= kRowsPerStep));
  check_equal(answers_of(Reading::BeforeNextStep, prompts, options), expected);
  CHECK(n_asked > 0);
}

TEST_CASE("Answers that ran ahead come out of a call that takes up an interrupted one", "[model]") {
  const auto prompts = prompts_with_common_stem(30);
  GenerateOptions options = steps_of_loop(8);
  options.batch_size = 10;
  options.stop.is_complete = [](std::span<const TokenId> ids) { return ids.back() % 5 == 0; };
  Engine engine = open_for_reading(Reading::DuringNextStep);
  const auto whole = support::generate_all(engine, prompts, options);
  options.is_answered.assign(30, true);
  for (const std::size_t i : {3, 11, 29}) options.is_answered[i] = false;
  std::size_t n_given = 0;
  engine.generate(prompts, options, [&](auto batch) {
    for (const auto& [i, answer] : batch) {
      ++n_given;
      check_equal({answer}, {whole[i]});
    }
  });
  CHECK(n_given == 3);
}

}  // namespace labelprobe::model
