#include "labelprobe/readout/readouts.h"

#include <algorithm>
#include <cmath>

#include "labelprobe/core/error.h"

#include "readout/answers/toy_model.h"
#include "support/catch.h"
#include "support/errors.h"

namespace labelprobe::readout {
namespace {

using support::ListTokenizer;
using Values = std::vector<record::ReadoutValues>;

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const Readout& readout : readouts()) names.emplace_back(readout.name);
  return names;
}

// Takes what is asked for, and never gives it.
class NoPlaces final : public model::Frontier {
 public:
  int add(int, TokenId) override { return ++n_; }
  int add(int, TokenId, const model::Look&) override { return ++n_; }

 private:
  int n_ = 0;
};

TEST_CASE("Unknown readouts are told with the nearest one", "[unit]") {
  const std::string message =
      support::message_of<ConfigError>([] { find_readout("marginal_exakt"); });
  CHECK_THAT(message, ContainsSubstring("unknown readout 'marginal_exakt'; did you mean "
                                        "'marginal_exact'?"));
  CHECK_THAT(message, ContainsSubstring("hazard_union"));
  CHECK(find_readout("slot_trie").name == "slot_trie");
}

TEST_CASE("Options that make no sense are refused before anything is computed", "[unit]") {
  const auto message = [](const std::string& name, auto change) {
    Emotions emotions;
    change(emotions);
    return support::message_of<ConfigError>([&] { emotions.read(name); });
  };
  CHECK(message("mc", [](Emotions& of) { of.options.n_samples = 0; }) ==
        "n_samples is 0; expected at least 1");
  CHECK(message("mc", [](Emotions& of) { of.options.max_places = 3; }) ==
        "max_places is 3; expected at least 7, for the greedy answer");
  CHECK(message("marginal_any", [](Emotions& of) { of.options.top_p = 1.5; }) ==
        "top_p is 1.5; expected more than 0, at most 1");
  CHECK(message("marginal_exact", [](Emotions& of) { of.options.floor = -1.0; }) ==
        "floor is -1; expected 0 to 1");
  CHECK_THAT(
      message("slot_trie",
              [](Emotions& of) { of.options.slot_normalisation = record::Normalisation::Answer; }),
      ContainsSubstring("vocab or labelset"));
  CHECK_THAT(message("forced_prefix", [](Emotions& of) { of.options.forced_prefix = ""; }),
             ContainsSubstring("no text"));
  CHECK(message("forced_prefix", [](Emotions& of) { of.options.forced_prefix = "love, "; }) ==
        "forced_prefix: no label can follow 'love, ' in this format");
}

TEST_CASE("What readouts ask for is foreseen, rather too much than too little", "[unit]") {
  Emotions emotions;
  for (const Readout& readout : readouts()) {
    INFO(readout.name);
    const Readout* chosen[] = {&readout};
    const std::int64_t n = estimated_places(emotions.format, chosen, emotions.options);
    const auto before = emotions.model.effort().n_places;
    emotions.read(std::string(readout.name));
    CHECK(emotions.model.effort().n_places - before <= n);
    CHECK(n <= emotions.options.max_places);
  }
  const Readout* free[] = {&find_readout("first_token"), &find_readout("marginal_fixed")};
  CHECK(estimated_places(emotions.format, free, emotions.options) == 7);  // the greedy answer's
}

TEST_CASE("A prompt's values do not depend on its company", "[unit]") {
  Emotions emotions;
  const std::vector<std::string> names = all_names();
  const std::vector<TokenIds> prompts = {{0}, {0, 1}, {1}};
  const auto together = read_all(emotions.model, prompts, emotions.format, emotions.tokenizer,
                                 {emotions.end()}, names, emotions.options);
  const Values alone = emotions.read_several(names);
  CHECK(together.at(1) == alone);
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    CHECK(emotions.read(names[i]) == alone[i]);
  }
  // Draws are the prompt's own.
  const auto mc =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), "mc") - names.begin());
  CHECK(together.at(0)[mc].probs != together.at(1)[mc].probs);
}

// Passes on what the model tells, and another greedy answer than it has.
class Misled final : public model::Explorer {
 public:
  Misled(ReadoutExplorer& explorer, TokenIds answer)
      : explorer_(explorer), answer_(std::move(answer)) {}
  void begin(std::size_t prompt) override {
    explorer_.begin(prompt);
    model::Generation answer;
    answer.token_ids = answer_;
    explorer_.answer(prompt, answer);
  }
  void reach(const model::Place& place) override { explorer_.reach(place); }
  void grow(std::size_t prompt, model::Frontier& next) override { explorer_.grow(prompt, next); }
  void finish(std::size_t prompt, const std::optional<std::string>& failure) override {
    explorer_.finish(prompt, failure);
  }

 private:
  ReadoutExplorer& explorer_;
  TokenIds answer_;
};

TEST_CASE("A greedy answer that is known saves steps and changes no number", "[unit]") {
  Emotions emotions;
  const auto id = [&](const std::string& token) { return emotions.tokenizer.id(token); };
  // The answer; others, in the format and not; one that goes on behind the end.
  const TokenIds answer =
      GENERATE_COPY(TokenIds{id("joy"), id(", "), id("fear"), id("\n\n")},
                    TokenIds{id("fear"), id("\n\n")}, TokenIds{id("love"), id("love")},
                    TokenIds{id("an"), id("love"), id("joy")}, TokenIds{id("joy"), id("<end>")},
                    TokenIds{id("none"), id("none"), id("none"), id("none"), id("none"), id("none"),
                             id("none"), id("none")},
                    TokenIds{});
  std::vector<const Readout*> chosen;
  for (const Readout& readout : readouts()) chosen.push_back(&readout);
  Values told;
  ReadoutExplorer explorer(
      emotions.format, emotions.tokenizer, {emotions.end()}, chosen, emotions.options,
      [&](std::size_t, Values values, const std::optional<std::string>&) { told = values; });
  const std::vector<TokenIds> prompts = {{0, 1}};
  const model::ExploreOptions options = explorer.options_for(prompts);
  Misled misled(explorer, answer);
  emotions.model.explore(prompts, options, misled);
  CHECK(told == emotions.read_several(all_names()));
}

TEST_CASE("Nothing is asked twice", "[unit]") {
  Emotions emotions;
  emotions.read("marginal_exact");
  const auto n_alone = emotions.model.effort().n_places;
  emotions.read_several({"marginal_exact", "marginal_complete", "slot_trie", "token_probability"});
  CHECK(emotions.model.effort().n_places == 2 * n_alone);
}

TEST_CASE("The order and the names of labels change no number", "[unit]") {
  Emotions emotions;
  Emotions turned({"anger", "joy", "fear"});
  turned.format.labels[1].name = "delight";
  const std::vector<std::string> names = all_names();
  const Values first = emotions.read_several(names);
  const Values second = turned.read_several(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    CHECK(at(first[i].probs, "joy") == at(second[i].probs, "delight"));
    CHECK(at(first[i].probs, "fear") == at(second[i].probs, "fear"));
    CHECK(at(first[i].probs, "anger") == at(second[i].probs, "anger"));
    CHECK(first[i].empty == second[i].empty);
    CHECK(first[i].n_nodes == second[i].n_nodes);
  }
}

TEST_CASE("A prompt that is begun again starts anew", "[unit]") {
  Emotions emotions;
  Values told;
  int n_told = 0;
  ReadoutExplorer explorer(emotions.format, emotions.tokenizer, {emotions.end()},
                           {&find_readout("marginal_exact")}, emotions.options,
                           [&](std::size_t, Values values, const std::optional<std::string>&) {
                             told = std::move(values);
                             ++n_told;
                           });
  const std::vector<TokenIds> prompts = {{0, 1}};
  const model::ExploreOptions options = explorer.options_for(prompts);
  // Another distribution than the model's, and memory runs out.
  explorer.begin(0);
  const std::vector<float> logits(static_cast<std::size_t>(emotions.tokenizer.vocab_size()));
  model::Step step;
  step.top_tokens = {{0, 0.0F}};
  step.log_sum_exp = std::log(static_cast<float>(logits.size()));
  model::Place place;
  place.step = &step;
  place.logits = logits;
  explorer.reach(place);
  NoPlaces nowhere;
  explorer.grow(0, nowhere);
  emotions.model.explore(prompts, options, explorer);
  CHECK(n_told == 1);
  CHECK(told == emotions.read_several({"marginal_exact"}));
}

TEST_CASE("A prompt that fails has no values and says why", "[unit]") {
  Emotions emotions;
  emotions.model.editable_info().max_context = 5;
  std::optional<std::string> told;
  ReadoutExplorer explorer(
      emotions.format, emotions.tokenizer, {emotions.end()}, {&find_readout("slot_trie")},
      emotions.options, [&](std::size_t, Values values, const std::optional<std::string>& failure) {
        CHECK(values.empty());
        told = failure;
      });
  const std::vector<TokenIds> prompts = {{0, 1}};
  emotions.model.explore(prompts, explorer.options_for(prompts), explorer);
  CHECK(told == "the prompt does not fit the fake model's context");
}

TEST_CASE("With the places used up, bounds still hold and draws are cut", "[unit]") {
  Emotions emotions;
  emotions.options.delta = 0.0;
  const record::ReadoutValues whole = emotions.read("marginal_exact");
  emotions.options.max_places = 9;
  const Values few = emotions.read_several({"mc", "marginal_exact", "beam_sum", "marginal_any"});
  CHECK(*few[0].unexplored > 0.0);
  CHECK(*few[1].unexplored > *whole.unexplored);
  for (std::size_t l = 0; l < whole.probs.size(); ++l) {
    CHECK(few[1].lower[l].second <= whole.lower[l].second);
    CHECK(few[1].upper[l].second >= whole.upper[l].second);
    CHECK(few[2].probs[l].second <= whole.lower[l].second);
  }
  CHECK(emotions.model.effort().n_places <= 9 + whole.n_extra_tokens + 8);
}

TEST_CASE("What is no answer of the format is off format", "[unit]") {
  Emotions emotions;
  emotions.options.delta = 0.0;
  // none beside other labels, and a word that is no label.
  const record::ReadoutValues values = emotions.read("marginal_complete");
  CHECK(*values.off_format == Approx(.05 + .1 * .2 + .5 * .6 * (.2 + .1)));
  CHECK(*values.empty == Approx(.1));
  // End of text before any label.
  emotions.model = model_of(emotions.tokenizer, {{"", {{"<end>", 1.0}}}}, "\n\n");
  CHECK(*emotions.read("marginal_exact").off_format == Approx(1.0));
  CHECK(*emotions.read("slot_trie").label_mass == Approx(0.0).margin(1e-6));
}

TEST_CASE("End of text closes only if the format says so", "[unit]") {
  Emotions emotions;
  const double closed = at(emotions.read("marginal_complete").lower, "joy");
  emotions.format.closes_at_end_of_text = false;
  const double open = at(emotions.read("marginal_complete").lower, "joy");
  CHECK(closed - open == Approx(.5 * .1).margin(1e-6));
}

TEST_CASE("Published estimators read the text of an answer that has left the format", "[unit]") {
  Emotions emotions;
  emotions.model = model_of(
      emotions.tokenizer,
      {{"", {{"I feel ", .9}, {"joy", .1}}}, {"I feel ", {{"fear", .7}, {"joy", .3}}}}, "\n\n");
  const record::ReadoutValues own = emotions.read("token_probability");
  CHECK(at(own.probs, "fear") == Approx(.7));
  CHECK(at(own.probs, "joy") == 0.0);
  CHECK(at(emotions.read("marginal_fixed").probs, "fear") == Approx(.7));
  emotions.options.include_all_tokens = true;
  CHECK(at(emotions.read("marginal_fixed").probs, "fear") == Approx(.63));
  CHECK(at(emotions.read("slot_trie").probs, "joy") == Approx(.1));
  CHECK(at(emotions.read("marginal_exact").probs, "fear") == Approx(0.0).margin(1e-6));
}

TEST_CASE("A greedy tie is broken by the lowest token", "[unit]") {
  Emotions emotions;
  emotions.model = model_of(emotions.tokenizer, {{"", {{"fear", .5}, {"joy", .5}}}}, "\n\n");
  const record::ReadoutValues values = emotions.read("token_probability");
  CHECK(at(values.probs, "joy") == Approx(.5));
  CHECK(at(values.probs, "fear") == 0.0);
}

TEST_CASE("Behind the last label that may be listed, a separator leads nowhere", "[unit]") {
  Emotions emotions;
  emotions.options.delta = 0.0;
  emotions.format.max_labels = 1;
  const record::ReadoutValues values = emotions.read("marginal_exact");
  CHECK(*values.off_format == Approx(.05 + .1 * .2 + .5 * .6 + .2 * .1));
  CHECK(values.n_nodes == 6);  // the prompt, joy, fear, an, anger, and joy behind a space
}

TEST_CASE("What is unexplored may end well without a label", "[unit]") {
  Emotions emotions;
  emotions.format.separators = {};
  emotions.format.empties = {};
  emotions.options.delta = 0.0;
  emotions.options.max_nodes = 2;
  emotions.model = model_of(emotions.tokenizer,
                            {{"", {{"fear", .6}, {"an", .4}}}, {"an", {{"ger", 1.0}}}}, "\n\n");
  const record::ReadoutValues values = emotions.read("marginal_given_valid");
  CHECK(at(values.lower, "fear") == Approx(.6));
  CHECK(at(values.upper, "fear") == Approx(1.0));
  CHECK(at(values.lower, "anger") == Approx(0.0).margin(1e-9));
  CHECK(at(values.upper, "anger") == Approx(.4));
  CHECK(at(values.upper, "joy") == Approx(0.0).margin(1e-9));
}

}  // namespace
}  // namespace labelprobe::readout
