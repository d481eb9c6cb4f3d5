// What is looked at inside the layers, against what transformers has there
// (scripts/fixtures/inner_reference.py).
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/model/explorer.h"
#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tangled_prompts.h"
#include "support/tiny_model.h"

namespace labelprobe::model {
namespace {

using nlohmann::json;

json reference() {
  std::ifstream file(support::fixture("model/inside.json"));
  return json::parse(file);
}

std::vector<Positions> groups_of(const json& stored) {
  std::vector<Positions> groups;
  for (const json& ranges : stored) {
    Positions& positions = groups.emplace_back();
    for (const json& range : ranges) positions.push_back({range[0], range[1]});
  }
  return groups;
}

// Asks for the last token of every prompt once more, once for each look.
class LastTokens final : public Explorer {
 public:
  LastTokens(std::span<const TokenIds> prompts, std::vector<Look> looks)
      : prompts_(prompts), looks_(std::move(looks)) {}

  struct Seen {
    Inside inside;
    std::vector<float> logits;
    float entropy = 0.0F;
  };
  std::map<std::size_t, std::map<int, Seen>> seen;   // by prompt and place
  std::map<std::size_t, std::vector<float>> logits;  // of the prompts themselves

  void begin(std::size_t prompt) override {
    seen[prompt].clear();
    is_asked_[prompt] = false;
  }
  void reach(const Place& place) override {
    const std::vector<float> all(place.logits.begin(), place.logits.end());
    if (place.id == 0) {
      CHECK(place.inside == nullptr);
      logits[place.prompt] = all;
    } else {
      REQUIRE(place.inside != nullptr);
      seen[place.prompt][place.id] = {*place.inside, all, place.step->entropy};
    }
  }
  void grow(std::size_t prompt, Frontier& next) override {
    if (is_asked_[prompt]) return;
    is_asked_[prompt] = true;
    for (const Look& look : looks_) next.add(-1, prompts_[prompt].back(), look);
  }
  void finish(std::size_t, const std::optional<std::string>& failure) override {
    if (failure) FAIL(*failure);
  }

 private:
  std::span<const TokenIds> prompts_;
  std::vector<Look> looks_;
  std::map<std::size_t, bool> is_asked_;
};

ExploreOptions looking(const TokenIds& watched, int n_looks) {
  ExploreOptions options;
  options.observe.watched = watched;
  options.observe.n_top_tokens = 1;
  options.observe.shows_logits = true;
  options.observe.hidden_layers = {0, 1, 2, -1};
  options.observe.shows_lens = true;
  options.observe.shows_parts = true;
  options.reach = {{n_looks, 0}};
  return options;
}

// Rows of numbers one after the other.
void append(std::vector<double>& flat, const json& numbers) {
  if (numbers.is_number()) {
    flat.push_back(numbers);
    return;
  }
  for (const json& part : numbers) append(flat, part);
}

void check_close(const std::vector<float>& found, const json& expected, double tolerance) {
  std::vector<double> flat;
  append(flat, expected);
  REQUIRE(found.size() == flat.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < flat.size(); ++i) {
    largest = std::max(largest, std::abs(found[i] - flat[i]));
  }
  CHECK(largest <= tolerance);
}

// A stored rank is the first and the last one that a logit may have that is off by 1e-5.
void check_ranks(const std::vector<std::int64_t>& found, const json& expected) {
  std::vector<double> flat;
  append(flat, expected);
  REQUIRE(flat.size() == 2 * found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("rank " << i);
    CHECK(static_cast<double>(found[i]) >= flat[2 * i]);
    CHECK(static_cast<double>(found[i]) <= flat[2 * i + 1]);
  }
}

std::unique_ptr<LanguageModel> open_fixture(const std::string& name,
                                            DType dtype = DType::Float32,
                                            int n_threads = 2) {
  return open(support::fixture("model/" + name),
              {.dtype = dtype, .device = "cpu", .n_threads = n_threads});
}

TEST_CASE("States, lens, parts, attention and knock-outs are those of transformers",
          "[model][golden]") {
  const json all = reference();
  REQUIRE(all["cases"].size() == 6);
  const std::vector<Positions> groups = groups_of(all["groups"]);
  std::vector<Look> looks = {{groups, {}, true}, {{}, {}}};
  for (const Positions& positions : groups) looks.push_back({{}, positions});
  for (const json& of : all["cases"]) {
    INFO(of["checkpoint"].get<std::string>());
    const auto model = open_fixture(of["checkpoint"]);
    const std::vector<TokenIds> prompts = {of["prompt_ids"].get<TokenIds>()};
    LastTokens explorer(prompts, looks);
    const ExploreOptions options = looking(all["watched"], static_cast<int>(looks.size()));
    model->explore(prompts, options, explorer);
    const auto& seen = explorer.seen.at(0);
    REQUIRE(seen.size() == looks.size());
    const Inside& inside = seen.at(1).inside;
    check_close(inside.hidden, of["hidden"], 1e-4);
    check_close(inside.lens, of["lens"], 1e-4);
    check_close(inside.lens_log_sum_exp, of["lens_log_sum_exp"], 1e-4);
    check_ranks(inside.lens_ranks, of["lens_ranks"]);
    CHECK(seen.at(1).entropy == Approx(of["entropy"].get<double>()).margin(1e-5));
    check_close(inside.parts, of["parts"], 1e-4);
    check_close(inside.attention, of["attention"], 1e-5);
    check_close(inside.group_parts, of["group_parts"], 1e-4);
    CHECK(seen.at(2).inside.attention.empty());
    CHECK(seen.at(2).inside.lens_ranks.empty());
    for (std::size_t g = 0; g < groups.size(); ++g) {
      std::vector<float> watched;
      const auto& logits = seen.at(static_cast<int>(3 + g)).logits;
      for (const TokenId token : options.observe.watched) watched.push_back(logits.at(token));
      check_close(watched, of["knocked_out"][g], 1e-4);
    }
    // Who only looks changes nothing.
    CHECK(seen.at(1).logits == explorer.logits.at(0));
    CHECK(seen.at(2).logits == explorer.logits.at(0));
  }
}

namespace {

// cap: what keeps the model's logits within bounds; 0 = none
void check_sums(LanguageModel& model,
                std::span<const TokenIds> prompts,
                double tolerance,
                double cap) {
  const auto capped = [cap](double x) { return cap == 0.0 ? x : cap * std::tanh(x / cap); };
  const TokenIds watched = {1, 5, 9};
  LastTokens explorer(prompts, {Look{{{{0, 100'000}}}, {}}});
  model.explore(prompts, looking(watched, 1), explorer);
  for (const auto& [prompt, seen] : explorer.seen) {
    const Inside& inside = seen.at(1).inside;
    const std::size_t n_stages = inside.parts.size() / watched.size();
    for (std::size_t i = 0; i < watched.size(); ++i) {
      double sum = 0.0;
      for (std::size_t s = 0; s < n_stages; ++s) sum += inside.parts[s * watched.size() + i];
      const double logit = explorer.logits.at(prompt).at(watched[i]);
      CHECK(capped(sum) == Approx(logit).margin(tolerance));
      CHECK(inside.lens[inside.lens.size() - watched.size() + i] ==
            Approx(logit).margin(tolerance));
      // Attention to everything is the whole part of attention.
      for (std::size_t layer = 0; 2 * layer + 1 < n_stages; ++layer) {
        CHECK(inside.group_parts[layer * watched.size() + i] ==
              Approx(inside.parts[(2 * layer + 1) * watched.size() + i]).margin(tolerance));
      }
    }
    for (const float share : inside.attention) CHECK(share == Approx(1.0).margin(1e-5));
  }
}

}  // namespace

TEST_CASE("Parts add up to the logits, and so does the lens of the last layer", "[model]") {
  const auto [dtype, tolerance] =
      GENERATE(std::pair{DType::Float32, 1e-5}, std::pair{DType::BFloat16, 0.1});
  const auto model = open_tiny(dtype, Quantization::None);
  std::vector<TokenIds> long_enough;
  for (const TokenIds& prompt : tangled_prompts()) {
    if (prompt.size() > 1) long_enough.push_back(prompt);
  }
  check_sums(*model, long_enough, tolerance, 0.0);
}

TEST_CASE("Parts add up to the logits in every family", "[model]") {
  const json fixture = support::read_json(support::fixture("model/families.json"));
  for (const json& family : fixture["models"]) {
    INFO(family["name"].get<std::string>());
    const support::TempFolder folder;
    support::write_tiny_model(family, folder.path());
    const auto model = open(folder.path(), {.device = "cpu", .n_threads = 2});
    const std::vector<TokenIds> prompts = {family["prompts"][1]["prompt_ids"].get<TokenIds>()};
    const json& config = family["config"];
    const bool is_capped =
        config.contains("final_logit_softcapping") && config["final_logit_softcapping"].is_number();
    check_sums(*model, prompts, 2e-5,
               is_capped ? config["final_logit_softcapping"].get<double>() : 0.0);
  }
}

TEST_CASE("What is seen inside does not depend on the schedule", "[model]") {
  const auto prompts = tangled_prompts();
  std::vector<TokenIds> long_enough;
  for (const TokenIds& prompt : prompts) {
    if (prompt.size() > 1) long_enough.push_back(prompt);
  }
  const DType dtype = GENERATE(DType::Float32, DType::BFloat16);
  const std::vector<Look> looks = {{{{{0, 3}}, {{1, 2}, {4, 100'000}}}, {}, true}, {{}, {{0, 5}}}};
  const auto read = [&](int batch_size, bool share_prefixes, int n_threads) {
    const auto model = open_fixture("llama_gqa_llama3_rope", dtype, n_threads);
    ExploreOptions options = looking({1, 5, 9}, 2);
    options.batch_size = batch_size;
    options.share_prefixes = share_prefixes;
    LastTokens explorer(long_enough, looks);
    model->explore(long_enough, options, explorer);
    return explorer.seen;
  };
  const auto expected = read(0, true, 2);
  for (const auto& [batch_size, share, n_threads] :
       {std::tuple{1, true, 2}, std::tuple{5, false, 1}, std::tuple{0, false, 2}}) {
    const auto found = read(batch_size, share, n_threads);
    for (const auto& [prompt, seen] : expected) {
      for (const auto& [place, one] : seen) {
        const LastTokens::Seen& other = found.at(prompt).at(place);
        CHECK(other.logits == one.logits);
        CHECK(other.inside.hidden == one.inside.hidden);
        CHECK(other.inside.lens == one.inside.lens);
        CHECK(other.inside.lens_log_sum_exp == one.inside.lens_log_sum_exp);
        CHECK(other.inside.lens_ranks == one.inside.lens_ranks);
        CHECK(other.inside.parts == one.inside.parts);
        CHECK(other.inside.attention == one.inside.attention);
        CHECK(other.inside.group_parts == one.inside.group_parts);
      }
    }
  }
}

TEST_CASE("A layer that is not there is an error", "[model]") {
  const auto model = open_fixture("llama_mha");
  const std::vector<TokenIds> prompts = {{1, 2, 3}};
  ExploreOptions options = looking({1}, 1);
  options.observe.hidden_layers = {3};
  LastTokens explorer(prompts, {Look()});
  CHECK_THROWS_WITH(model->explore(prompts, options, explorer),
                    "hidden layer is 3; expected 0 to 2, or -1");
}

}  // namespace
}  // namespace labelprobe::model
