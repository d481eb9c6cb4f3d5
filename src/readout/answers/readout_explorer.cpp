#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/readout/readouts.h"

#include "readout/answers/readout_rows.h"
#include "readout/format/prompt_end.h"

namespace labelprobe::readout {

namespace {

void expect(bool is_fine, std::string_view option, double found, std::string_view expected) {
  if (is_fine) return;
  throw ConfigError(fmt::format("{} is {}; expected {}", option, found, expected));
}

void check_options(const ReadoutOptions& options) {
  const auto is_share = [](double number) { return number >= 0.0 && number <= 1.0; };
  expect(options.max_new_tokens >= 1, "max_new_tokens", options.max_new_tokens, "at least 1");
  expect(options.max_places >= options.max_new_tokens - 1, "max_places", options.max_places,
         fmt::format("at least {}, for the greedy answer", options.max_new_tokens - 1));
  expect(is_share(options.slot_floor), "slot_floor", options.slot_floor, "0 to 1");
  expect(is_share(options.delta), "delta", options.delta, "0 to 1");
  expect(is_share(options.eps), "eps", options.eps, "0 to 1");
  expect(options.top_p > 0.0 && options.top_p <= 1.0, "top_p", options.top_p,
         "more than 0, at most 1");
  expect(options.max_nodes >= 1, "max_nodes", options.max_nodes, "at least 1");
  if (options.floor) expect(is_share(*options.floor), "floor", *options.floor, "0 to 1");
  expect(options.n_sets >= 0, "n_sets", options.n_sets, "at least 0");
  expect(options.n_samples >= 1, "n_samples", options.n_samples, "at least 1");
  expect(options.open_tokens >= 1 && options.open_tokens <= kMostOpenTokens, "open_tokens",
         options.open_tokens, fmt::format("1 to {}", kMostOpenTokens));
  expect(options.n_beams >= 1, "n_beams", options.n_beams, "at least 1");
  if (options.slot_normalisation == record::Normalisation::Answer) {
    throw ConfigError("a slot's probabilities are relative to vocab or labelset, not to answer");
  }
}

// One seed for the prompt, whatever others there are.
std::int64_t seed_of(std::int64_t seed, const TokenIds& prompt) {
  Fingerprint print;
  print.add(fmt::format("{}", seed));
  print.add(std::as_bytes(std::span(prompt)));
  return static_cast<std::int64_t>(std::stoull(print.hex().substr(0, 15), nullptr, 16));
}

}  // namespace

struct ReadoutExplorer::State {
  // A prompt that has been begun.
  struct Exploration {
    Exploration(State& state, std::span<const TokenId> prompt_ids, std::int64_t seed)
        : tree(state.automaton, state.tokenizer, prompt_ids, state.rules),
          greedy(state.reads_text),
          no_greedy(false) {
      if (state.leaves_end_open) open_end(state, prompt_ids);
      askers.reserve(state.chosen.size());
      for (const Readout* readout : state.chosen) {
        const bool is_open = readout->leaves_end_open && open_tree;
        reads_tree = reads_tree || !is_open;
        Asker& asker = is_open ? askers.emplace_back(*open_tree, no_greedy)
                               : askers.emplace_back(tree, greedy);
        inquiries.push_back(readout->make({state.options, asker, seed}));
      }
      is_done.resize(inquiries.size(), false);
    }
    Exploration(const Exploration&) = delete;
    Exploration& operator=(const Exploration&) = delete;

    void open_end(State& state, std::span<const TokenId> prompt_ids) {
      const PromptEnd end = find_end(state.tokenizer, prompt_ids, state.options.open_tokens);
      if (end.text.empty()) return;
      const std::span<const TokenId> ids = prompt_ids.subspan(end.n_kept);
      TreeRules rules = state.rules;
      rules.n_reserved = static_cast<int>(ids.size()) + 1;
      rules.max_places += rules.n_reserved;
      open_tree.emplace(state.automaton, state.tokenizer, prompt_ids, rules, end);
      open_tree->expect(ids, /*reads_text=*/false);
    }

    AnswerTree tree;
    std::optional<AnswerTree> open_tree;  // where the prompt's end is left open
    bool reads_tree = false;              // any readout the other one
    GreedyPath greedy;
    GreedyPath no_greedy;  // nothing of the other tree
    std::vector<Asker> askers;
    std::vector<InquiryPtr> inquiries;
    std::vector<bool> is_done;
  };

  State(const AnswerFormat& format,
        const tokenizer::Tokenizer& of_model,
        TokenIds end_ids,
        std::vector<const Readout*> rows,
        const ReadoutOptions& given,
        ReadoutSink to)
      : tokenizer(of_model),
        automaton(format, of_model, std::move(end_ids)),
        chosen(std::move(rows)),
        options(given),
        sink(std::move(to)) {
    rules.tokenisation = options.tokenisation;
    rules.max_depth = options.max_new_tokens - 1;
    rules.max_places = options.max_places;
    rules.n_reserved = options.max_new_tokens - 1;
    for (const Readout* readout : chosen) {
      reads_text = reads_text || readout->reads_text;
      leaves_end_open = leaves_end_open || readout->leaves_end_open;
      if (readout->needs_top_tokens) rules.top_p = options.top_p;
    }
  }

  // A forced beginning may be cut into other tokens behind other prompts: all of them are watched.
  void watch_forced(std::span<const TokenIds> all) {
    if (options.forced_prefix.empty()) return;
    for (const TokenIds& prompt : all) {
      const CanonicalText canonical(tokenizer, prompt);
      const TokenIds forced = canonical.tokens_of_answer(options.forced_prefix);
      rules.watched.insert(rules.watched.end(), forced.begin(), forced.end());
    }
    std::sort(rules.watched.begin(), rules.watched.end());
    rules.watched.erase(std::unique(rules.watched.begin(), rules.watched.end()),
                        rules.watched.end());
  }

  model::Reach reach_behind(const TokenIds& prompt) const {
    model::Reach reach{options.max_places, options.max_new_tokens - 1};
    if (!leaves_end_open) return reach;
    // At worst each byte of an open end is a token.
    const PromptEnd end = find_end(tokenizer, prompt, options.open_tokens);
    const auto n_tokens = static_cast<int>(prompt.size() - end.n_kept);
    reach.n_places += options.max_places + n_tokens + 1;
    reach.depth += std::max(0, static_cast<int>(end.text.size()) - n_tokens);
    return reach;
  }

  Exploration& at(std::size_t prompt) { return *explorations.at(prompt); }

  const tokenizer::Tokenizer& tokenizer;
  TokenAutomaton automaton;
  std::vector<const Readout*> chosen;
  ReadoutOptions options;
  ReadoutSink sink;
  TreeRules rules;
  bool reads_text = false;
  bool leaves_end_open = false;
  std::span<const TokenIds> prompts;
  std::map<std::size_t, std::unique_ptr<Exploration>> explorations;
};

ReadoutExplorer::ReadoutExplorer(const AnswerFormat& format,
                                 const tokenizer::Tokenizer& tokenizer,
                                 TokenIds end_ids,
                                 std::vector<const Readout*> chosen,
                                 const ReadoutOptions& options,
                                 ReadoutSink sink) {
  check(format);
  check_options(options);
  for (const Readout* readout : chosen) {
    if (readout->check != nullptr) readout->check(format, tokenizer, options);
  }
  state_ = std::make_unique<State>(format, tokenizer, std::move(end_ids), std::move(chosen),
                                   options, std::move(sink));
}

ReadoutExplorer::~ReadoutExplorer() = default;

model::ExploreOptions ReadoutExplorer::options_for(std::span<const TokenIds> prompts) {
  state_->prompts = prompts;
  state_->watch_forced(prompts);
  model::ExploreOptions options;
  options.observe.n_top_tokens = 1;
  options.observe.shows_logits = true;
  options.reach = {{state_->options.max_places, state_->options.max_new_tokens - 1}};
  for (const TokenIds& prompt : prompts) {
    const model::Reach reach = state_->reach_behind(prompt);
    options.reach[0].n_places = std::max(options.reach[0].n_places, reach.n_places);
    options.reach[0].depth = std::max(options.reach[0].depth, reach.depth);
  }
  return options;
}

void ReadoutExplorer::begin(std::size_t prompt) {
  const TokenIds& ids = state_->prompts[prompt];
  state_->explorations.insert_or_assign(
      prompt,
      std::make_unique<State::Exploration>(*state_, ids, seed_of(state_->options.seed, ids)));
}

void ReadoutExplorer::answer(std::size_t prompt, const model::Generation& answer) {
  State::Exploration& at = state_->at(prompt);
  if (at.reads_tree) at.tree.expect(answer.token_ids, state_->reads_text);
}

void ReadoutExplorer::reach(const model::Place& place) {
  State::Exploration& at = state_->at(place.prompt);
  const bool is_open = at.open_tree && at.open_tree->has_asked(place.id);
  (is_open ? *at.open_tree : at.tree).reach(place);
}

void ReadoutExplorer::grow(std::size_t prompt, model::Frontier& next) {
  State::Exploration& at = state_->at(prompt);
  if (at.reads_tree) at.greedy.advance(at.tree);
  for (std::size_t i = 0; i < at.inquiries.size(); ++i) {
    if (!at.is_done[i]) at.is_done[i] = at.inquiries[i]->advance();
  }
  at.tree.ask(next);
  if (at.open_tree) at.open_tree->ask(next);
}

void ReadoutExplorer::finish(std::size_t prompt, const std::optional<std::string>& failure) {
  std::vector<record::ReadoutValues> values;
  if (!failure) {
    const State::Exploration& at = state_->at(prompt);
    for (std::size_t i = 0; i < at.inquiries.size(); ++i) {
      LABELPROBE_CHECK(at.is_done[i]);
      record::ReadoutValues& of = values.emplace_back();
      of.name = state_->chosen[i]->name;
      of.n_nodes = at.askers[i].n_nodes();
      of.n_extra_tokens = at.askers[i].n_extra();
      at.inquiries[i]->fill(of);
    }
  }
  state_->explorations.erase(prompt);
  state_->sink(prompt, std::move(values), failure);
}

}  // namespace labelprobe::readout
