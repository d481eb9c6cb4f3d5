// Answers behind an open prompt end against sums over all tokenisations, which
// scripts/fixtures/byte_reference.py has made without a tree and without an automaton.

#include <cstdint>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "readout/answers/toy_model.h"
#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::readout {
namespace {

using nlohmann::json;

std::uint64_t mixed(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

json reference() {
  std::ifstream file(support::fixture("readout/byte_exact.json"));
  return json::parse(file);
}

// A model whose logits follow from all tokens so far, the prompt's too.
struct Toy {
  explicit Toy(const json& all, std::uint64_t seed)
      : tokenizer(all["tokens"].get<std::vector<std::string>>()),
        n_listed(all["tokens"].size()),
        model(tokenizer.vocab_size(),
              [this, seed](std::span<const TokenId> prompt, std::span<const TokenId> generated) {
                std::uint64_t hash = seed;
                for (const std::span<const TokenId> part : {prompt, generated}) {
                  for (const TokenId token : part) {
                    hash = mixed(hash ^ static_cast<std::uint64_t>(token + 1));
                  }
                }
                std::vector<float> logits(static_cast<std::size_t>(tokenizer.vocab_size()),
                                          -200.0F);
                for (std::size_t v = 0; v < n_listed; ++v) {
                  const std::uint64_t k = mixed(hash + v * 0x9E3779B97F4A7C15U) >> 54U;
                  logits[v] = static_cast<float>(k) / 256.0F;
                }
                return logits;
              }) {
    for (const std::string label : all["labels"]) format.labels.push_back({label, {label}});
    format.separators = {all["separator"].get<std::string>()};
    format.closers = {"\n"};
    format.closes_at_end_of_text = false;
    options.max_new_tokens = all["max_new_tokens"];
    options.max_places = 100'000;
    options.max_nodes = 100'000;
    options.delta = 0.0;
    options.open_tokens = 32;  // all but the first two
    options.floor = 0.0;
  }
  Toy(const Toy&) = delete;
  Toy& operator=(const Toy&) = delete;

  record::ReadoutValues read(const TokenIds& prompt, const std::string& name) {
    const std::vector<TokenIds> prompts = {prompt};
    return read_all(model, prompts, format, tokenizer, {}, {name}, options).at(0).at(0);
  }

  support::ListTokenizer tokenizer;
  std::size_t n_listed;
  support::FakeModel model;
  AnswerFormat format;
  ReadoutOptions options;
};

TokenIds joined(TokenIds ids, const TokenIds& more) {
  ids.insert(ids.end(), more.begin(), more.end());
  return ids;
}

// The toy models' logits are exact, their log_sum_exp is a float32.
auto nearly(double number) {
  return Approx(number).epsilon(1e-5).margin(1e-7);
}

TEST_CASE("With the prompt's end open, all tokenisations of it and the answer count", "[golden]") {
  const json all = reference();
  REQUIRE(all["cases"].size() == 8);
  for (const json& of : all["cases"]) {
    Toy toy(all, of["seed"]);
    toy.format.openers = {of["opener"].get<std::string>()};
    const double whole = of["whole"];
    for (const TokenIds division : of["divisions"]) {
      INFO(of["seed"] << " " << of["tail"] << " " << json(division));
      const record::ReadoutValues values =
          toy.read(joined(all["kept"].get<TokenIds>(), division), "marginal_bytes");
      REQUIRE(values.lower.size() == 2);
      for (std::size_t l = 0; l < 2; ++l) {
        const double exact = of["prefix"][l].get<double>() / whole;
        CHECK(values.lower[l].second == nearly(exact));
        CHECK(values.upper[l].second >= Approx(exact).epsilon(1e-5));
      }
      CHECK(*values.off_format == nearly(of["off"].get<double>() / whole));
      CHECK(*values.unexplored == nearly(of["cut"].get<double>() / whole));
      CHECK_THAT(values.params, ContainsSubstring("open prompt end \"\\n"));
    }
  }
}

// A prompt that ends before, or behind, the space of the label's token asks the same.
TEST_CASE("Where the prompt is cut changes nothing but what it already says", "[golden]") {
  const json all = reference();
  for (std::size_t i = 0; i < all["cases"].size(); i += 2) {
    const json& before = all["cases"][i];
    const json& behind = all["cases"][i + 1];
    Toy toy(all, before["seed"]);
    const auto read = [&](const json& of) {
      toy.format.openers = {of["opener"].get<std::string>()};
      const TokenIds division = of["divisions"][0];
      return toy.read(joined(all["kept"].get<TokenIds>(), division), "marginal_bytes");
    };
    const double p_space = behind["whole"].get<double>() / before["whole"].get<double>();
    const record::ReadoutValues of_before = read(before);
    const record::ReadoutValues of_behind = read(behind);
    for (std::size_t l = 0; l < 2; ++l) {
      // Where the space is a token of its own, the answer behind it may have one token more.
      CHECK(of_before.lower[l].second == Approx(of_behind.lower[l].second * p_space).margin(1e-4));
    }
  }
}

TEST_CASE("Bounds hold at every number of nodes, and lie around the exact number", "[golden]") {
  const json all = reference();
  const json& of = all["cases"][0];
  Toy toy(all, of["seed"]);
  toy.format.openers = {" "};
  const TokenIds division = of["divisions"][1];
  record::ReadoutValues last;
  for (const int n : {1, 2, 4, 8, 16, 32, 64}) {
    toy.options.max_nodes = n;
    const record::ReadoutValues values =
        toy.read(joined(all["kept"].get<TokenIds>(), division), "marginal_bytes");
    for (std::size_t l = 0; l < 2; ++l) {
      const double exact = of["prefix"][l].get<double>() / of["whole"].get<double>();
      CHECK(values.lower[l].second <= exact + 1e-6);
      CHECK(values.upper[l].second >= exact - 1e-6);
    }
    last = values;
  }
  CHECK(last.upper[0].second - last.lower[0].second < 1e-2);
}

TEST_CASE("A prompt without an end that may be open is read as it is", "[golden]") {
  const json all = reference();
  Toy toy(all, 1);
  toy.format.openers = {""};
  // The first two tokens are never left open.
  const record::ReadoutValues bytes = toy.read({0, 1}, "marginal_bytes");
  const record::ReadoutValues exact = toy.read({0, 1}, "marginal_exact");
  CHECK(bytes.lower == exact.lower);
  CHECK(bytes.upper == exact.upper);
  CHECK(bytes.n_nodes == exact.n_nodes);
}

TEST_CASE("An end that the model would hardly write is opened like any other", "[golden]") {
  const json all = reference();
  Toy toy(all, 1);
  toy.format.openers = {" "};
  // A question mark is a token of one kind only: there is one way to write twenty of them.
  TokenIds prompt = joined(all["kept"].get<TokenIds>(), TokenIds(20, 28));
  prompt = joined(prompt, {25, 5});
  const record::ReadoutValues whole = toy.read(prompt, "marginal_bytes");
  toy.options.open_tokens = 2;
  const record::ReadoutValues label = toy.read(prompt, "marginal_bytes");
  CHECK(*whole.unexplored < 0.2);
  for (std::size_t l = 0; l < 2; ++l) {
    CHECK(whole.lower[l].second == nearly(label.lower[l].second));
    CHECK(whole.upper[l].second == nearly(label.upper[l].second));
  }
}

TEST_CASE("Readouts of a prompt as it is and with its end open are told together", "[golden]") {
  const json all = reference();
  Toy toy(all, 1);
  toy.format.openers = {" "};
  const TokenIds first = joined(all["kept"].get<TokenIds>(), {25, 5});
  const TokenIds second = {0, 1};
  const std::vector<TokenIds> prompts = {first, second};
  const auto both = read_all(toy.model, prompts, toy.format, toy.tokenizer, {},
                             {"marginal_bytes", "slot_trie", "marginal_exact"}, toy.options);
  REQUIRE(both.size() == 2);
  CHECK(both.at(0)[0] == toy.read(first, "marginal_bytes"));
  CHECK(both.at(0)[1] == toy.read(first, "slot_trie"));
  CHECK(both.at(0)[2] == toy.read(first, "marginal_exact"));
  CHECK(both.at(1)[0] == toy.read(second, "marginal_bytes"));
  CHECK(both.at(1)[1] == toy.read(second, "slot_trie"));
}

TEST_CASE("Byte-exact answers and canonical tokens contradict each other", "[unit]") {
  const json all = reference();
  Toy toy(all, 1);
  toy.options.tokenisation = Tokenisation::Canonical;
  CHECK_THROWS_WITH(toy.read({0, 1}, "marginal_bytes"), ContainsSubstring("use marginal_exact"));
}

}  // namespace
}  // namespace labelprobe::readout
