// Explorers see what generate() computes, bit for bit, whatever they look at beside it.
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/model/explorer.h"

#include "model/engine/engine.h"
#include "support/catch.h"
#include "support/generate.h"
#include "support/tangled_prompts.h"
#include "support/tight_memory.h"

namespace labelprobe::model {
namespace {

using Logits = std::vector<float>;

// Keeps all that it is told. Tests say what it asks for.
class Notebook : public Explorer {
 public:
  struct Page {
    int n_begun = 0;
    std::vector<PromptToken> prompt_tokens;
    std::vector<TokenIds> texts = {TokenIds()};  // by place, behind the prompt
    std::map<TokenIds, Logits> logits;           // of a place's text
    std::map<TokenIds, Step> steps;
    int n_finished = 0;
    std::optional<std::string> failure;
    std::set<int> unreached;
    Generation answer;
  };
  std::map<std::size_t, Page> pages;

  void begin(std::size_t prompt) override {
    const int n_begun = pages[prompt].n_begun;
    pages[prompt] = Page();
    pages[prompt].n_begun = n_begun + 1;
    pages[prompt].unreached = {0};
  }
  void read_prompt(std::size_t prompt, std::span<const PromptToken> tokens) override {
    pages[prompt].prompt_tokens.assign(tokens.begin(), tokens.end());
  }
  void answer(std::size_t prompt, const Generation& answer) override {
    pages.at(prompt).answer = answer;
  }
  void reach(const Place& place) override {
    Page& page = pages.at(place.prompt);
    const TokenIds& text = page.texts.at(place.id);
    REQUIRE(page.unreached.erase(place.id) == 1);
    page.logits[text].assign(place.logits.begin(), place.logits.end());
    page.steps[text] = *place.step;
  }
  void grow(std::size_t prompt, Frontier& next) override {
    Page& page = pages.at(prompt);
    REQUIRE(page.unreached.empty());
    ask(page, next);
  }
  void finish(std::size_t prompt, const std::optional<std::string>& failure) override {
    ++pages[prompt].n_finished;
    pages[prompt].failure = failure;
  }

 protected:
  virtual void ask(Page& page, Frontier& next) = 0;
  static int add(Page& page, Frontier& next, int parent, TokenId token) {
    const int id = next.add(parent, token);
    REQUIRE(id == static_cast<int>(page.texts.size()));
    page.texts.push_back(joined(page.texts.at(parent), {token}));
    page.unreached.insert(id);
    return id;
  }
};

// The greedy answer, and at each of its places the second and third best token too.
class GreedyWithNeighbours : public Notebook {
 public:
  explicit GreedyWithNeighbours(int n_tokens) : n_tokens_(n_tokens) {}

 protected:
  void ask(Page& page, Frontier& next) override {
    int last = 0;  // on the greedy path: the newest place whose text is the best of all before
    TokenIds text;
    for (int i = 1; i < static_cast<int>(page.texts.size()); ++i) {
      if (page.texts[i] == joined(text, {page.steps.at(text).top_tokens[0].id})) {
        text = page.texts[i];
        last = i;
      }
    }
    if (static_cast<int>(text.size()) == n_tokens_) return;
    for (int rank = 2; rank >= 0; --rank) {
      add(page, next, last, page.steps.at(text).top_tokens[rank].id);
    }
  }

 private:
  int n_tokens_;
};

// A trie of given texts, asked for at once.
class GivenTexts : public Notebook {
 public:
  explicit GivenTexts(std::vector<TokenIds> texts) : texts_(std::move(texts)) {}

 protected:
  void ask(Page& page, Frontier& next) override {
    if (page.texts.size() > 1) return;
    std::map<TokenIds, int> known = {{TokenIds(), 0}};
    for (const TokenIds& text : texts_) {
      TokenIds so_far;
      for (const TokenId token : text) {
        const int parent = known.at(so_far);
        so_far.push_back(token);
        if (!known.count(so_far)) known[so_far] = add(page, next, parent, token);
      }
    }
  }

 private:
  std::vector<TokenIds> texts_;
};

ExploreOptions all_logits(Reach reach) {
  ExploreOptions options;
  options.observe.shows_logits = true;
  options.observe.n_top_tokens = 3;
  options.reach = {reach};
  return options;
}

// What generate() makes of every text behind every prompt.
std::map<TokenIds, Logits> logits_behind(LanguageModel& language_model,
                                         const std::vector<TokenIds>& texts) {
  std::map<TokenIds, Logits> logits;
  const auto answers = support::generate_all(language_model, texts, steps(1));
  for (std::size_t i = 0; i < texts.size(); ++i) logits[texts[i]] = answers[i].logits;
  return logits;
}

constexpr std::pair<DType, Quantization> kExploredModes[] = {{DType::Float32, Quantization::None},
                                                             {DType::BFloat16, Quantization::None},
                                                             {DType::Float32, Quantization::Fp4}};

}  // namespace

TEST_CASE("A greedy explorer sees the steps of generate()", "[model]") {
  const auto prompts = tangled_prompts();
  const auto [dtype, quantization] = kExploredModes[GENERATE(0, 1, 2)];
  const auto tiny = open_tiny(dtype, quantization);
  const auto expected = support::generate_all(*tiny, prompts, steps(6));
  const int batch_size = GENERATE(0, 1, 7);
  const bool share_prefixes = GENERATE(true, false);
  INFO("batch size " << batch_size << ", sharing " << share_prefixes);
  ExploreOptions options = all_logits({15, 5});
  options.batch_size = batch_size;
  options.share_prefixes = share_prefixes;
  GreedyWithNeighbours explorer(5);
  const Effort before = tiny->effort();
  tiny->explore(prompts, options, explorer);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    INFO("prompt " << i);
    const Notebook::Page& page = explorer.pages.at(i);
    REQUIRE_FALSE(page.failure);
    CHECK(page.n_begun == 1);
    CHECK(page.n_finished == 1);
    CHECK(page.texts.size() == 16);
    TokenIds text;
    for (int t = 0; t < 6; ++t) {
      const auto first = expected[i].logits.begin() + t * kVocab;
      CHECK(page.logits.at(text) == Logits(first, first + kVocab));
      CHECK(page.steps.at(text).top_tokens[0].id == expected[i].token_ids[t]);
      CHECK(page.steps.at(text).log_sum_exp == expected[i].steps[t].log_sum_exp);
      text.push_back(expected[i].token_ids[t]);
    }
  }
  CHECK(tiny->effort().n_batches_halved == 0);
  CHECK(tiny->effort().n_places - before.n_places ==
        15 * static_cast<std::int64_t>(prompts.size()));
}

TEST_CASE("Texts behind a prompt have the logits they have as prompts", "[model]") {
  const auto prompts = tangled_prompts();
  // A trie that branches at its beginning, inside a run and at its end; one long text.
  std::mt19937 random(5);
  std::vector<TokenIds> texts = {{1, 2, 3, 4, 5}, {1, 2, 3, 9}, {1, 2, 3, 4, 6}, {1, 7}, {8}};
  texts.push_back(random_ids(random, 12));
  const auto [dtype, quantization] = kExploredModes[GENERATE(0, 1, 2)];
  const auto tiny = open_tiny(dtype, quantization);
  GivenTexts explorer(texts);
  const Effort before = tiny->effort();
  tiny->explore(prompts, all_logits({21, 12}), explorer);
  const Effort after = tiny->effort();
  std::set<TokenIds> prefixes;
  for (const TokenIds& prompt : prompts) {
    for (std::size_t n = 1; n <= prompt.size(); ++n) {
      prefixes.emplace(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(n));
    }
  }
  CHECK(after.n_prompt_tokens_computed - before.n_prompt_tokens_computed ==
        static_cast<std::int64_t>(prefixes.size()));
  for (const std::size_t i : {std::size_t{0}, std::size_t{13}, prompts.size() - 1}) {
    INFO("prompt " << i);
    const Notebook::Page& page = explorer.pages.at(i);
    std::vector<TokenIds> wholes;
    for (const TokenIds& text : page.texts) wholes.push_back(joined(prompts[i], text));
    const auto expected = logits_behind(*tiny, wholes);
    REQUIRE(page.texts.size() == 22);
    for (std::size_t t = 0; t < wholes.size(); ++t) {
      CHECK(page.logits.at(page.texts[t]) == expected.at(wholes[t]));
    }
  }
}

namespace {

// Goes back into the prompt and writes its last tokens once more, and then a text.
class FromInside : public Notebook {
 public:
  FromInside(std::span<const TokenIds> prompts, int n_back) : prompts_(prompts), n_back_(n_back) {}

 protected:
  void ask(Page& page, Frontier& next) override {
    if (page.texts.size() > 1) return;
    const auto index = static_cast<std::size_t>(std::distance(
        pages.begin(), std::find_if(pages.begin(), pages.end(),
                                    [&](const auto& of) { return &of.second == &page; })));
    const TokenIds& prompt = prompts_[index];
    int last = -n_back_;
    TokenIds text = {-1};  // marks the places that are not behind the prompt
    for (std::size_t i = prompt.size() - static_cast<std::size_t>(n_back_); i < prompt.size();
         ++i) {
      last = next.add(last, prompt[i]);
      text.push_back(prompt[i]);
      page.texts.push_back(text);
      page.unreached.insert(last);
    }
    last = next.add(last, 7);
    text.push_back(7);
    page.texts.push_back(text);
    page.unreached.insert(last);
    add(page, next, 0, 7);
  }

 private:
  std::span<const TokenIds> prompts_;
  int n_back_;
};

}  // namespace

TEST_CASE("A prompt's end that is written once more has the same numbers", "[model]") {
  std::vector<TokenIds> prompts;
  for (const TokenIds& prompt : tangled_prompts()) {
    if (prompt.size() > 4) prompts.push_back(prompt);
  }
  const auto [dtype, quantization] = kExploredModes[GENERATE(0, 1, 2)];
  const auto tiny = open_tiny(dtype, quantization);
  const int n_back = GENERATE(1, 4);
  FromInside explorer(prompts, n_back);
  tiny->explore(prompts, all_logits({n_back + 2, 1}), explorer);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    INFO("prompt " << i << ", " << n_back << " tokens back");
    const Notebook::Page& page = explorer.pages.at(i);
    REQUIRE_FALSE(page.failure);
    TokenIds end = {-1};
    end.insert(end.end(), prompts[i].end() - n_back, prompts[i].end());
    CHECK(page.logits.at(end) == page.logits.at({}));
    CHECK(page.logits.at(joined(end, {7})) == page.logits.at({7}));
  }
}

TEST_CASE("Greedy answers come along, over the same computed prompts", "[model]") {
  const auto prompts = tangled_prompts();
  const auto tiny = open_tiny();
  GenerateOptions greedy = steps(6);
  greedy.rules.repetition_penalty = 1.2;
  const auto expected = support::generate_all(*tiny, prompts, greedy);
  const std::int64_t n_computed = tiny->effort().n_prompt_tokens_computed;
  ExploreOptions options = all_logits({15, 5});
  options.greedy = greedy;
  options.batch_size = GENERATE(0, 3);
  GreedyWithNeighbours explorer(5);
  tiny->explore(prompts, options, explorer);
  std::vector<Generation> answers;
  for (const auto& [prompt, page] : explorer.pages) {
    CHECK(page.texts.size() == 16);
    answers.push_back(page.answer);
  }
  check_equal_bits(answers, expected);
  CHECK(tiny->effort().n_prompt_tokens_computed == 2 * n_computed);
  CHECK(tiny->effort().n_batches_halved == 0);
}

TEST_CASE("Where memory runs out prompts are begun again, with the same numbers", "[model]") {
  const auto prompts = tangled_prompts();
  ExploreOptions options = all_logits({15, 5});
  options.reads_prompts = true;
  GreedyWithNeighbours expected(5);
  open_tiny()->explore(prompts, options, expected);
  GreedyWithNeighbours found(5);
  const auto tight = open_tiny();
  {
    const TightMemory memory(GENERATE(60000, 70000));
    tight->explore(prompts, options, found);
  }
  CHECK(tight->effort().n_batches_halved > 0);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    INFO("prompt " << i);
    const Notebook::Page& page = found.pages.at(i);
    CHECK(page.n_finished == 1);
    CHECK_FALSE(page.failure);
    CHECK(page.logits == expected.pages.at(i).logits);
    CHECK(page.prompt_tokens.size() == prompts[i].size() - 1);
  }
}

TEST_CASE("Prompts are read along the way", "[model]") {
  const auto prompts = tangled_prompts();
  const auto tiny = open_tiny();
  ExploreOptions options;
  options.reach = {Reach()};
  options.reads_prompts = true;
  options.batch_size = GENERATE(0, 1, 5);
  GivenTexts explorer({});
  tiny->explore(prompts, options, explorer);
  for (const std::size_t i : {std::size_t{0}, std::size_t{4}, std::size_t{12}, std::size_t{17},
                              std::size_t{25}, prompts.size() - 1}) {
    INFO("prompt " << i);
    const std::vector<PromptToken>& tokens = explorer.pages.at(i).prompt_tokens;
    REQUIRE(tokens.size() == prompts[i].size() - 1);
    std::vector<TokenIds> beginnings;
    for (std::size_t n = 1; n < prompts[i].size(); ++n) {
      beginnings.emplace_back(prompts[i].begin(),
                              prompts[i].begin() + static_cast<std::ptrdiff_t>(n));
    }
    if (beginnings.empty()) continue;
    const auto expected = support::generate_all(*tiny, beginnings, steps(1));
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      CHECK(tokens[t].logit == expected[t].logits.at(prompts[i][t + 1]));
      CHECK(tokens[t].log_sum_exp == expected[t].steps[0].log_sum_exp);
    }
  }
}

TEST_CASE("Prompts that cannot be explored are told, and the others explored", "[model]") {
  const auto tiny = open_tiny();
  const int n_most = tiny->info().max_context;
  const std::vector<TokenIds> prompts = {
      {1, 2}, {}, TokenIds(static_cast<std::size_t>(n_most), 1), {kVocab}, {3}, {4}};
  ExploreOptions options = all_logits({2, 2});
  options.is_answered = {false, false, false, false, false, true};
  GivenTexts explorer({{5, 6}});
  tiny->explore(prompts, options, explorer);
  CHECK(explorer.pages.at(0).logits.size() == 3);
  CHECK(explorer.pages.at(4).logits.size() == 3);
  CHECK(explorer.pages.at(1).failure == "the prompt is empty; expected at least one token");
  CHECK_THAT(explorer.pages.at(2).failure.value(), ContainsSubstring("2 new ones were asked for"));
  CHECK_THAT(explorer.pages.at(3).failure.value(), ContainsSubstring("not in the vocabulary"));
  CHECK(explorer.pages.count(5) == 0);
  for (const auto& [prompt, page] : explorer.pages) CHECK(page.n_finished == 1);
}

TEST_CASE("An explorer that asks for more than it may is an error of the program", "[model]") {
  const auto tiny = open_tiny();
  const std::vector<TokenIds> prompts = {{1, 2}};
  GivenTexts too_deep({{5, 6, 7}});
  CHECK_THROWS_AS(tiny->explore(prompts, all_logits({3, 2}), too_deep), InternalError);
  GivenTexts too_many({{5, 6}, {7}});
  CHECK_THROWS_AS(tiny->explore(prompts, all_logits({2, 2}), too_many), InternalError);
}

}  // namespace labelprobe::model
