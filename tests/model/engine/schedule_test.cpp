// The same bits whatever the schedule: shared prefixes, batches, drafts, threads, order, company
// and resumption.
#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "labelprobe/core/error.h"

#include "model/engine/engine.h"
#include "support/catch.h"
#include "support/generate.h"
#include "support/tangled_prompts.h"

namespace labelprobe::model {
namespace {

// Every way of keeping and multiplying weights whose numbers must not depend on the schedule.
struct Mode {
  DType dtype;
  Quantization quantization;
};
constexpr Mode kModes[] = {
    {DType::Float32, Quantization::None}, {DType::BFloat16, Quantization::None},
    {DType::Float16, Quantization::None}, {DType::Float32, Quantization::Fp4},
    {DType::BFloat16, Quantization::Nf4}, {DType::Float16, Quantization::Nf4Double}};

std::int64_t count_distinct_prefixes(const std::vector<TokenIds>& prompts) {
  std::set<TokenIds> prefixes;
  for (const TokenIds& prompt : prompts) {
    for (std::size_t n = 1; n <= prompt.size(); ++n) {
      prefixes.emplace(prompt.begin(), prompt.begin() + n);
    }
  }
  return static_cast<std::int64_t>(prefixes.size());
}

}  // namespace

TEST_CASE("Sharing and grouping prompts change no bit", "[model]") {
  const auto prompts = tangled_prompts();
  const Mode mode = kModes[GENERATE(0, 1, 2, 3, 4, 5)];
  const auto tiny = open_tiny(mode.dtype, mode.quantization);
  GenerateOptions alone = steps(7);
  alone.share_prefixes = false;
  alone.batch_size = 1;
  const auto expected = support::generate_all(*tiny, prompts, alone);
  const int batch_size = GENERATE(0, 1, 2, 7);
  const bool share_prefixes = GENERATE(true, false);
  INFO("batch size " << batch_size << ", sharing " << share_prefixes);
  GenerateOptions options = steps(7);
  options.batch_size = batch_size;
  options.share_prefixes = share_prefixes;
  const Effort before = tiny->effort();
  check_equal_bits(support::generate_all(*tiny, prompts, options), expected);

  std::int64_t n_tokens = 0;
  for (const TokenIds& prompt : prompts) n_tokens += static_cast<std::int64_t>(prompt.size());
  CHECK(tiny->effort().n_prompt_tokens - before.n_prompt_tokens == n_tokens);
  CHECK(tiny->effort().n_prompt_tokens_computed - before.n_prompt_tokens_computed ==
        (share_prefixes ? count_distinct_prefixes(prompts) : n_tokens));
}

TEST_CASE("Drafted tokens change nothing but the number of steps", "[model]") {
  const auto prompts = tangled_prompts();
  const double penalty = GENERATE(1.0, 1.3);
  GenerateOptions options = steps(9);
  options.rules.repetition_penalty = penalty;
  options.stop.is_complete = [](std::span<const TokenId> ids) { return ids.back() % 11 == 0; };
  const auto expected = support::generate_all(*open_tiny(), prompts, options);
  // Right, wrong from the second token on, and of no use, in turn.
  std::map<TokenIds, TokenIds> continuations;
  for (const Generation& answer : expected) {
    const TokenIds& ids = answer.token_ids;
    for (std::size_t n = 1; n < ids.size(); ++n) {
      TokenIds guess(ids.begin() + static_cast<std::ptrdiff_t>(n), ids.end());
      if (n % 3 == 1 && guess.size() > 1) guess[1] = (guess[1] + 1) % kVocab;
      if (n % 3 == 2) guess.insert(guess.end(), 50, 7);
      continuations[TokenIds(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(n))] = guess;
    }
  }
  options.draft = [&](std::span<const TokenId> generated) {
    return continuations[TokenIds(generated.begin(), generated.end())];
  };
  options.batch_size = GENERATE(0, 1, 4);
  options.share_prefixes = GENERATE(true, false);
  const auto tiny = open_tiny();
  const auto answers = support::generate_all(*tiny, prompts, options);
  check_equal_bits(answers, expected);
  if (options.batch_size == 1) {
    CHECK(tiny->effort().n_drafted_kept > 10);
    CHECK(tiny->effort().n_drafted_kept < tiny->effort().n_drafted_tokens);
  }
  // The same call gives the same bytes.
  const auto again = support::generate_all(*open_tiny(), prompts, options);
  for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(again[i].logits == answers[i].logits);
}

TEST_CASE("The order of the prompts changes nothing", "[model]") {
  auto prompts = tangled_prompts();
  const auto tiny = open_tiny();
  auto expected = support::generate_all(*tiny, prompts, steps(4));
  std::reverse(prompts.begin(), prompts.end());
  std::reverse(expected.begin(), expected.end());
  GenerateOptions options = steps(4);
  options.batch_size = 5;
  check_equal_bits(support::generate_all(*tiny, prompts, options), expected);
}

TEST_CASE("The number of threads changes no bit", "[model]") {
  const auto prompts = tangled_prompts();
  const Mode mode = kModes[GENERATE(0, 1, 2, 3, 4, 5)];
  const auto open_with = [&](int n_threads) {
    return open_tiny(mode.dtype, mode.quantization, n_threads);
  };
  const auto expected = support::generate_all(*open_with(2), prompts, steps(5));
  for (const int n_threads : {1, 2, 3}) {
    check_equal_bits(support::generate_all(*open_with(n_threads), prompts, steps(5)), expected);
  }
}

TEST_CASE("A prompt among fewer has the same bits", "[model]") {
  const auto prompts = tangled_prompts();
  const auto tiny = open_tiny(DType::BFloat16);
  const auto expected = support::generate_all(*tiny, prompts, steps(4));
  for (const std::size_t n_apart : {2, 5}) {
    std::vector<TokenIds> some;
    std::vector<Generation> of_some;
    for (std::size_t i = 1; i < prompts.size(); i += n_apart) {
      some.push_back(prompts[i]);
      of_some.push_back(expected[i]);
    }
    check_equal_bits(support::generate_all(*tiny, some, steps(4)), of_some);
  }
}

TEST_CASE("A call that takes up an interrupted one gives the same bytes", "[model]") {
  const std::vector<TokenIds> prompts = tangled_prompts();
  GenerateOptions options = steps(4);
  options.batch_size = 5;
  const auto model = open_tiny();
  const std::vector<Generation> whole = support::generate_all(*model, prompts, options);
  // Interrupted between chunks in token order, and anywhere at all.
  std::vector<std::size_t> in_token_order;
  options.is_answered.assign(prompts.size(), false);
  model->generate(prompts, options, [&](auto batch) {
    for (const auto& answer : batch) in_token_order.push_back(answer.first);
  });
  std::mt19937 random(5);
  for (std::size_t n_answered : {std::size_t{5}, std::size_t{17}, prompts.size() - 1}) {
    for (const bool is_scattered : {false, true}) {
      if (is_scattered) std::shuffle(in_token_order.begin(), in_token_order.end(), random);
      options.is_answered.assign(prompts.size(), false);
      for (std::size_t i = 0; i < n_answered; ++i) options.is_answered[in_token_order[i]] = true;
      std::size_t n_given = 0;
      model->generate(prompts, options, [&](auto batch) {
        for (const auto& [i, generation] : batch) {
          ++n_given;
          CHECK_FALSE(options.is_answered[i]);
          CHECK(generation.token_ids == whole[i].token_ids);
          CHECK(generation.logits == whole[i].logits);
        }
      });
      CHECK(n_given == prompts.size() - n_answered);
    }
  }
}

}  // namespace labelprobe::model
