// Readouts against sums over all answers, which scripts/fixtures/readout_reference.py has made
// without a tree and without an automaton.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "readout/answers/toy_model.h"
#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::readout {
namespace {

using nlohmann::json;

std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

AnswerFormat read_format(const json& stored) {
  AnswerFormat format;
  for (const std::string label : stored["labels"]) format.labels.push_back({label, {label}});
  format.openers = stored["openers"].get<std::vector<std::string>>();
  format.separators = stored["separators"].get<std::vector<std::string>>();
  format.closers = stored["closers"].get<std::vector<std::string>>();
  format.empties = stored["empties"].get<std::vector<std::string>>();
  format.closes_at_end_of_text = stored["closes_at_end_of_text"];
  format.repeats = stored["repeats"] == "forbid" ? Repeats::Forbid : Repeats::Allow;
  format.max_labels = stored["max_labels"];
  format.completion = stored["completion"] == "eager" ? Completion::Eager : Completion::Lookahead;
  return format;
}

// One toy model with its format and what is known of it.
struct Case {
  explicit Case(const json& from)
      : stored(from),
        tokenizer(from["tokens"].get<std::vector<std::string>>()),
        format(read_format(from["format"])),
        model(tokenizer.vocab_size(), [this](auto, std::span<const TokenId> generated) {
          return logits_behind(generated);
        }) {
    n_tokens = from["tokens"].size();
    for (const auto& [last, tokens] : from["follow"].items()) {
      follow[std::stoi(last)] = tokens.get<std::set<TokenId>>();
    }
    const auto end = std::find(from["tokens"].begin(), from["tokens"].end(), "<end>");
    if (end != from["tokens"].end()) {
      end_ids.push_back(static_cast<TokenId>(end - from["tokens"].begin()));
    }
    options.max_new_tokens = from["max_new_tokens"];
    options.tokenisation = kTokenisations.parse(from["tokenisation"].get<std::string>());
    options.max_places = 1'000'000;
    options.max_nodes = 1'000'000;
    options.delta = 0.0;
    options.floor = 0.0;
    options.slot_floor = 0.0;
    options.n_sets = 1000;
  }
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  std::vector<float> logits_behind(std::span<const TokenId> generated) const {
    std::uint64_t hash = stored["seed"].get<std::uint64_t>();
    for (const TokenId token : generated) hash = mix(hash ^ static_cast<std::uint64_t>(token + 1));
    const auto after = follow.find(generated.empty() ? -1 : generated.back());
    const int n_likely = stored["n_likely"];
    // The bytes by themselves, behind the listed tokens, are never written.
    std::vector<float> logits(static_cast<std::size_t>(tokenizer.vocab_size()), -200.0F);
    for (std::size_t v = 0; v < n_tokens; ++v) {
      const std::uint64_t k = mix(hash + v * 0x9E3779B97F4A7C15U) >> 54U;
      logits[v] = static_cast<float>(k) / 256.0F;
      if (static_cast<int>(v) >= n_likely) logits[v] -= 6.0F;
      if (after != follow.end() && after->second.contains(static_cast<TokenId>(v))) {
        logits[v] += 5.0F;
      }
    }
    return logits;
  }

  record::ReadoutValues read(const std::string& name) {
    const std::vector<TokenIds> prompts = {{1, 0}};
    return read_all(model, prompts, format, tokenizer, end_ids, {name}, options).at(0).at(0);
  }

  std::size_t n_labels() const { return format.labels.size(); }

  json stored;
  support::ListTokenizer tokenizer;
  AnswerFormat format;
  support::FakeModel model;
  std::map<int, std::set<TokenId>> follow;
  std::size_t n_tokens = 0;
  TokenIds end_ids;
  ReadoutOptions options;
};

void for_each_case(const std::function<void(Case&)>& action) {
  std::ifstream file(support::fixture("readout/brute_force.json"));
  const json all = json::parse(file);
  REQUIRE(all["cases"].size() == 27);
  for (const json& stored : all["cases"]) {
    INFO(fmt::format("{}, seed {}", stored["name"].get<std::string>(), stored["seed"].get<int>()));
    const auto one = std::make_unique<Case>(stored);
    action(*one);
  }
}

// The toy models' logits are exact, their log_sum_exp is a float32.
auto near(double number) {
  return Approx(number).epsilon(2e-5).margin(1e-9);
}

TEST_CASE("With everything explored, marginals and sets are sums over all answers", "[golden]") {
  for_each_case([](Case& of) {
    const json& exact = of.stored["exact"];
    const record::ReadoutValues prefix = of.read("marginal_exact");
    const record::ReadoutValues complete = of.read("marginal_complete");
    const record::ReadoutValues valid = of.read("marginal_given_valid");
    std::map<std::vector<std::string>, double> sets;
    double done = 0.0;
    for (const json& set : exact["sets"]) {
      std::vector<std::string> names;
      for (const int label : set[0]) names.push_back(of.format.labels[label].name);
      sets[names] = set[1];
      done += set[1].get<double>();
    }
    const double cut = exact["cut"];
    double empty = 0.0;
    if (sets.contains({})) empty = sets.at({});
    for (std::size_t l = 0; l < of.n_labels(); ++l) {
      CHECK(prefix.lower[l].second == near(exact["prefix"][l].get<double>()));
      CHECK(complete.lower[l].second == near(exact["complete"][l].get<double>()));
      CHECK(prefix.upper[l].second >= prefix.lower[l].second);
      CHECK(prefix.upper[l].second <= prefix.lower[l].second + cut + 1e-6);
      CHECK(complete.upper[l].second <= complete.lower[l].second + cut + 1e-6);
      const double least = exact["complete"][l].get<double>() / (done + cut);
      CHECK(valid.lower[l].second >= Approx(least).epsilon(2e-5));
      CHECK(valid.lower[l].second <= valid.upper[l].second);
    }
    CHECK(*prefix.empty == near(empty));
    CHECK(*prefix.label_mass <= 1.0 + 1e-6);
    CHECK(*prefix.label_mass >= done - 1e-6);
    // A rule of repeats or numbers may show only later that a beginning leads nowhere.
    CHECK(*prefix.off_format + *prefix.unexplored ==
          Approx(exact["off"].get<double>() + cut).margin(2e-6));
    CHECK(*prefix.unexplored <= cut + 2e-6);
    REQUIRE(prefix.sets.size() == sets.size());
    for (const record::SetProbability& set : prefix.sets) {
      REQUIRE(sets.contains(set.labels));
      CHECK(set.prob == near(sets.at(set.labels)));
    }
  });
}

TEST_CASE("Bounds are those of the description's own loop, nest, and sum to one", "[golden]") {
  for_each_case([](Case& of) {
    record::ReadoutValues before;
    for (const json& row : of.stored["bounds"]) {
      of.options.max_nodes = row["n_expanded"];
      INFO("expanded: " << of.options.max_nodes);
      const record::ReadoutValues values = of.read("marginal_exact");
      const double done = 1.0 - *values.off_format - *values.unexplored;
      const bool has_rules = of.format.repeats == Repeats::Forbid || of.format.max_labels > 0;
      if (!has_rules) {
        CHECK(done == Approx(row["done"].get<double>()).margin(3e-6));
        CHECK(*values.off_format == Approx(row["off"].get<double>()).margin(3e-6));
      }
      for (std::size_t l = 0; l < of.n_labels(); ++l) {
        const double lower = values.lower[l].second;
        const double upper = values.upper[l].second;
        if (!has_rules) CHECK(lower == near(row["lower"][l].get<double>()));
        CHECK(upper <= row["naive_upper"][l].get<double>() + 3e-6);
        CHECK(upper >= of.stored["exact"]["prefix"][l].get<double>() - 3e-6);
        CHECK(lower <= of.stored["exact"]["prefix"][l].get<double>() + 3e-6);
        if (!before.lower.empty()) {
          CHECK(lower >= before.lower[l].second);
          CHECK(upper <= before.upper[l].second + 1e-12);
        }
      }
      before = values;
    }
  });
}

TEST_CASE("The greedy answer's bounds hold, and slots make them no wider", "[golden]") {
  for_each_case([](Case& of) {
    const record::ReadoutValues narrow = of.read("greedy_bounds");
    of.options.bounds_from = BoundsFrom::Slots;
    const record::ReadoutValues slots = of.read("greedy_bounds");
    const record::ReadoutValues beams = of.read("beam_sum");
    const record::ReadoutValues trie = of.read("slot_trie");
    double sum = *trie.off_format + *trie.unexplored + *trie.empty;
    for (std::size_t l = 0; l < of.n_labels(); ++l) {
      const double exact = of.stored["exact"]["prefix"][l];
      for (const record::ReadoutValues& values : {narrow, slots}) {
        CHECK(values.lower[l].second <= exact + 3e-6);
        CHECK(values.upper[l].second >= exact - 3e-6);
      }
      CHECK(slots.lower[l].second >= narrow.lower[l].second);
      CHECK(slots.upper[l].second <= narrow.upper[l].second + 1e-12);
      CHECK(beams.probs[l].second <= of.stored["exact"]["complete"][l].get<double>() + 3e-6);
      sum += trie.probs[l].second;
    }
    CHECK(sum == Approx(1.0).margin(1e-6));
    CHECK(narrow.n_extra_tokens == 0);
  });
}

void check_slot(const Case& of, const record::SlotValues& slot, const json& stored) {
  double mass = 0.0;
  for (std::size_t l = 0; l < of.n_labels(); ++l) {
    CHECK(slot.probs[l].second == near(stored["q"][l].get<double>()));
    mass += stored["q"][l].get<double>();
  }
  if (slot.empty) {
    CHECK(*slot.empty == near(stored["empty"].get<double>()));
    mass += *slot.empty;
  }
  if (slot.ends) CHECK(*slot.ends == near(stored["ends"].get<double>()));
  CHECK(*slot.label_mass == near(mass));
  CHECK(*slot.unclaimed == Approx(1 - mass - slot.ends.value_or(0)).margin(3e-6));
}

TEST_CASE("Each slot of the greedy answer has the next label's sums", "[golden]") {
  for_each_case([](Case& of) {
    const json& stored = of.stored["slots"];
    const record::ReadoutValues trie = of.read("slot_trie");
    if (stored.empty()) {
      REQUIRE(trie.slots.size() == 1);
      CHECK(trie.slots[0].written.empty());
      return;
    }
    REQUIRE(trie.slots.size() == stored.size());
    CHECK(of.read("hazard_union").slots == trie.slots);
    for (std::size_t t = 0; t < stored.size(); ++t) {
      INFO("slot " << t);
      const record::SlotValues& slot = trie.slots[t];
      CHECK(slot.number == static_cast<std::int64_t>(t) + 1);
      CHECK(slot.index == stored[t]["n_tokens"].get<std::int64_t>());
      REQUIRE(slot.seen.size() == stored[t]["seen"].size());
      for (std::size_t n = 0; n < slot.seen.size(); ++n) {
        CHECK(slot.seen[n] == of.format.labels[stored[t]["seen"][n].get<std::size_t>()].name);
      }
      check_slot(of, slot, stored[t]);
    }
  });
}

TEST_CASE("Behind each label that is put first, the next label has its sums", "[golden]") {
  std::size_t n_rows = 0;
  for_each_case([&](Case& of) {
    if (of.format.separators.empty()) return;
    of.options.slot_normalisation = record::Normalisation::Vocab;
    const record::ReadoutValues values = of.read("forced_matrix");
    CHECK(values.probs == of.read("slot_trie").probs);
    std::map<std::string, record::SlotValues> rows;
    for (const record::SlotValues& row : values.forced) rows[row.seen.at(0)] = row;
    for (const json& stored : of.stored["forced"]) {
      const std::string& name = of.format.labels[stored["label"].get<std::size_t>()].name;
      INFO("behind " << name);
      if (!rows.contains(name)) {  // an eager label whose text is another one's first
        for (const double q : stored["q"]) CHECK(q == 0.0);
        continue;
      }
      check_slot(of, rows.at(name), stored);
      ++n_rows;
    }
  });
  CHECK(n_rows > 20);
}

TEST_CASE("Estimators of the greedy text read it token by token", "[golden]") {
  for_each_case([](Case& of) {
    const auto tokens = of.stored["greedy"]["tokens"].get<TokenIds>();
    const auto probs = of.stored["greedy"]["probs"].get<std::vector<double>>();
    const record::ReadoutValues own = of.read("token_probability");
    of.options.include_all_tokens = true;
    const record::ReadoutValues all = of.read("marginal_fixed");
    for (std::size_t l = 0; l < of.n_labels(); ++l) {
      std::string text;
      double expected = 0.0;
      double expected_all = 0.0;
      double product = 1.0;
      for (std::size_t t = 0; t < tokens.size(); ++t) {
        product *= probs[t];
        if (tokens[t] == (of.end_ids.empty() ? -1 : of.end_ids[0])) continue;
        text += of.tokenizer.token_bytes(tokens[t]);
        if (!text.ends_with(of.format.labels[l].name)) continue;
        expected = probs[t];
        expected_all = product;
      }
      CHECK(own.probs[l].second == near(expected));
      CHECK(all.probs[l].second == near(expected_all));
    }
  });
}

TEST_CASE("The published walk adds up what its description's recursion does", "[golden]") {
  for_each_case([](Case& of) {
    of.options.top_p = 0.9;
    of.options.eps = 0.003;
    const record::ReadoutValues values = of.read("marginal_any");
    for (std::size_t l = 0; l < of.n_labels(); ++l) {
      CHECK(values.probs[l].second == near(of.stored["marginal_any"][l].get<double>()));
    }
  });
}

TEST_CASE("Drawn answers agree with the sums within four standard errors", "[golden]") {
  for_each_case([](Case& of) {
    of.options.n_samples = 2000;
    for (const char* name : {"mc", "mc_rb"}) {
      INFO(name);
      const record::ReadoutValues values = of.read(name);
      for (std::size_t l = 0; l < of.n_labels(); ++l) {
        const double exact = of.stored["exact"]["prefix"][l];
        // A rare label may not have been drawn, and then has no error of its own.
        const double error =
            std::max(double{values.std_errors[l].second}, std::sqrt(exact * (1 - exact) / 2000));
        CHECK(std::abs(values.probs[l].second - exact) <= 4 * error);
      }
    }
  });
}

}  // namespace
}  // namespace labelprobe::readout
