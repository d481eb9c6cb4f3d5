// What must not change an answer, and what must.
#include "model/engine/engine.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include "labelprobe/core/error.h"
#include "labelprobe/model/open.h"

#include "model/engine/model_info.h"
#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tolerance.h"

namespace labelprobe::model {
namespace {

const std::filesystem::path kTiny = support::fixture("model/llama_gqa_llama3_rope");
constexpr int kVocab = 128;

std::unique_ptr<LanguageModel> open_tiny(DType dtype = DType::Float32) {
  return open(kTiny, {.dtype = dtype, .device = "cpu", .n_threads = 2});
}

GenerateOptions steps(int n) {
  GenerateOptions options;
  options.stop.max_new_tokens = n;
  options.keep_logits = true;
  return options;
}

TokenIds random_ids(std::mt19937& random, std::size_t n) {
  TokenIds ids(n);
  for (TokenId& id : ids) id = static_cast<TokenId>(random() % kVocab);
  return ids;
}

TokenIds joined(TokenIds a, const TokenIds& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A long common stem with leaves, a chain of prompts that begin one another, equal prompts,
// one-token prompts, a deep trie over few letters, one much longer than the rest.
std::vector<TokenIds> tangled_prompts() {
  std::mt19937 random(3);
  std::vector<TokenIds> prompts;
  const TokenIds stem = random_ids(random, 60);
  for (int i = 0; i < 12; ++i) {
    prompts.push_back(joined(stem, random_ids(random, 1 + random() % 9)));
  }
  prompts.push_back(joined(stem, random_ids(random, 55)));
  for (std::size_t n = 1; n <= 8; ++n) prompts.emplace_back(stem.begin(), stem.begin() + n);
  prompts.push_back(prompts[3]);
  prompts.push_back(stem);
  prompts.push_back(stem);
  for (int i = 0; i < 20; ++i) {
    TokenIds ids(3 + random() % 12);
    for (TokenId& id : ids) id = static_cast<TokenId>(5 + random() % 2);
    prompts.push_back(ids);
  }
  prompts.push_back({7});
  return prompts;
}

std::vector<float> softmax_rows(const std::vector<float>& logits) {
  std::vector<float> probs(logits.size());
  for (std::size_t row = 0; row < logits.size(); row += kVocab) {
    const float largest = *std::max_element(logits.begin() + row, logits.begin() + row + kVocab);
    double total = 0;
    for (int i = 0; i < kVocab; ++i) total += std::exp(double{logits[row + i]} - largest);
    for (int i = 0; i < kVocab; ++i) {
      probs[row + i] = static_cast<float>(std::exp(double{logits[row + i]} - largest) / total);
    }
  }
  return probs;
}

void check_equal_up_to_rounding(const std::vector<Generation>& found,
                                const std::vector<Generation>& expected) {
  REQUIRE(found.size() == expected.size());
  const double allowed = support::tolerance_for("cpu", DType::Float32).prob;
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("prompt " << i);
    REQUIRE_FALSE(found[i].failure);
    CHECK(found[i].token_ids == expected[i].token_ids);
    CHECK(support::differences(softmax_rows(found[i].logits), softmax_rows(expected[i].logits),
                               allowed) == "");
  }
}

std::int64_t n_distinct_prefixes(const std::vector<TokenIds>& prompts) {
  std::set<TokenIds> prefixes;
  for (const TokenIds& prompt : prompts) {
    for (std::size_t n = 1; n <= prompt.size(); ++n) {
      prefixes.emplace(prompt.begin(), prompt.begin() + n);
    }
  }
  return static_cast<std::int64_t>(prefixes.size());
}

// Refuses large pieces of memory while it lives, as a device that is nearly full.
class TightMemory : public c10::Allocator {
 public:
  explicit TightMemory(std::size_t n_largest)
      : n_largest_(n_largest), usual_(c10::GetCPUAllocator()) {
    c10::SetCPUAllocator(this, 1);
  }
  ~TightMemory() override { c10::SetCPUAllocator(usual_, 1); }

  c10::DataPtr allocate(std::size_t n_bytes) override {
    // As the usual allocator says it.
    TORCH_CHECK(n_bytes <= n_largest_, "DefaultCPUAllocator: can't allocate memory");
    return usual_->allocate(n_bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return usual_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t n_bytes) const override {
    usual_->copy_data(to, from, n_bytes);
  }

 private:
  std::size_t n_largest_;
  c10::Allocator* usual_;
};

}  // namespace

TEST_CASE("Sharing and grouping prompts move probabilities by rounding only", "[model]") {
  const auto prompts = tangled_prompts();
  const auto tiny = open_tiny();
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
  check_equal_up_to_rounding(support::generate_all(*tiny, prompts, options), expected);

  std::int64_t n_tokens = 0;
  for (const TokenIds& prompt : prompts) n_tokens += static_cast<std::int64_t>(prompt.size());
  CHECK(tiny->effort().n_prompt_tokens - before.n_prompt_tokens == n_tokens);
  CHECK(tiny->effort().n_prompt_tokens_computed - before.n_prompt_tokens_computed ==
        (share_prefixes ? n_distinct_prefixes(prompts) : n_tokens));
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
  check_equal_up_to_rounding(answers, expected);
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
  check_equal_up_to_rounding(support::generate_all(*tiny, prompts, options), expected);
}

TEST_CASE("The same call gives the same bytes", "[model]") {
  const auto prompts = tangled_prompts();
  const DType dtype = GENERATE(DType::Float32, DType::BFloat16);
  const auto first = support::generate_all(*open_tiny(dtype), prompts, steps(5));
  const auto second = support::generate_all(*open_tiny(dtype), prompts, steps(5));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CHECK(first[i].token_ids == second[i].token_ids);
    CHECK(first[i].logits == second[i].logits);
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

TEST_CASE("Prompts longer than a pack of rows are computed in parts", "[model]") {
  const auto prompts = tangled_prompts();
  const auto expected = support::generate_all(*open_tiny(), prompts, steps(4));
  weights::Checkpoint checkpoint = weights::Checkpoint::open(kTiny);
  const c10::Device cpu(c10::DeviceType::CPU);
  const ModelInfo info = describe(checkpoint, DType::Float32, Quantization::None);
  Engine engine(Decoder(checkpoint, DType::Float32, cpu), info, {16, 256, std::size_t{1} << 30});
  check_equal_up_to_rounding(support::generate_all(engine, prompts, steps(4)), expected);
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
  check_equal_up_to_rounding(support::generate_all(engine, prompts, steps(4)), expected);
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
  check_equal_up_to_rounding(answers, expected);
  // What a call ran short of does not slow the next one.
  const int n_halved = tight->effort().n_batches_halved;
  check_equal_up_to_rounding(support::generate_all(*tight, prompts, options), expected);
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
  check_equal_up_to_rounding(answers, expected);
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

TEST_CASE("A text longer than the sliding window is refused aloud, one as long is not", "[model]") {
  const auto mistral = open(support::fixture("model/mistral"), {.device = "cpu", .n_threads = 2});
  CHECK(mistral->info().attention_window == 27);
  CHECK(mistral->info().max_context == 27);
  const std::vector<TokenIds> prompts = {TokenIds(26, 1), TokenIds(27, 1)};
  const auto answers = support::generate_all(*mistral, prompts, steps(2));
  CHECK_FALSE(answers[0].failure);
  REQUIRE(answers[1].failure);
  CHECK(*answers[1].failure ==
        "the prompt has 27 tokens and 2 new ones were asked for, but the model's context has 27 "
        "positions, as many as its sliding window; longer texts are not supported");
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
