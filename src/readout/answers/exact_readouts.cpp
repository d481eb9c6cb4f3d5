// Readouts with bounds: the probability that a label is written at all.
// Source: methods beyond the paper's four, sections 4.5 and 5.2.

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/repr.h"

#include "readout/answers/mass_ledger.h"
#include "readout/answers/readout_rows.h"
#include "readout/answers/slot_walk.h"

namespace labelprobe::readout {

namespace {

constexpr double kFloor = 1e-6;
// Places asked for at once, beside those that have to be computed in any case.
constexpr std::size_t kAtOnce = 4;

void fill_bounds(record::ReadoutValues& values,
                 const MassLedger& ledger,
                 const AnswerFormat& format,
                 Event event) {
  std::vector<double> middle;
  std::vector<double> lower;
  std::vector<double> upper;
  for (std::size_t label = 0; label < format.labels.size(); ++label) {
    const Bounds bounds = ledger.bounds(static_cast<LabelIndex>(label), event);
    lower.push_back(bounds.lower);
    upper.push_back(bounds.upper);
    middle.push_back((bounds.lower + bounds.upper) / 2.0);
  }
  values.probs = with_names(format, middle);
  values.lower = with_names(format, lower);
  values.upper = with_names(format, upper);
  values.empty = ledger.empty();
  values.label_mass = ledger.any_label() + ledger.empty();
  values.off_format = std::max(0.0, ledger.off());
  values.unexplored = ledger.unexplored();
  if (event == Event::GivenValid) {
    values.normalisation = record::Normalisation::Answer;
    const double valid = 1.0 - *values.off_format;
    if (valid > 0.0) *values.empty /= valid;
  }
}

// The most probable label sets; shares of the answers that end well, for GivenValid.
std::vector<record::SetProbability> top_sets(const MassLedger& ledger,
                                             const AnswerTree& tree,
                                             Event event,
                                             int n_sets) {
  std::vector<record::SetProbability> all;
  const double whole = event == Event::GivenValid ? 1.0 - ledger.off() : 1.0;
  for (const int set : ledger.found_sets()) {
    record::SetProbability& listed = all.emplace_back();
    for (const LabelIndex label : tree.sets().labels(set)) {
      listed.labels.push_back(tree.format().labels[static_cast<std::size_t>(label)].name);
    }
    const double prob = ledger.set(set);
    listed.prob = whole > 0.0 ? prob / whole : prob;
  }
  std::sort(all.begin(), all.end(),
            [](const record::SetProbability& a, const record::SetProbability& b) {
              return a.prob != b.prob ? a.prob > b.prob : a.labels < b.labels;
            });
  if (all.size() > static_cast<std::size_t>(n_sets)) all.resize(static_cast<std::size_t>(n_sets));
  return all;
}

// Best first. Which nodes are expanded depends on the prompt alone: those that were asked for
// together are expanded one by one, in order, as far as they are still the best.
class MarginalExact final : public Inquiry {
 public:
  MarginalExact(const InquiryInput& input, Event event, bool leaves_end_open = false)
      : input_(input),
        event_(event),
        leaves_end_open_(leaves_end_open),
        floor_(input.options.floor.value_or(std::min(kFloor, input.options.delta / 1000.0))),
        ledger_(input.asker.tree(), floor_) {}

  bool advance() override {
    while (true) {
      while (!is_finished() && asked_.contains(ledger_.best().number)) {
        if (input_.asker.need(ledger_.node_of(ledger_.best())) != Access::There) return false;
        ledger_.expand_best();
      }
      if (is_finished() || !ask_further()) return true;
    }
  }

  void fill(record::ReadoutValues& values) const override {
    const AnswerTree& tree = input_.asker.tree();
    fill_bounds(values, ledger_, tree.format(), event_);
    values.sets = top_sets(ledger_, tree, event_, input_.options.n_sets);
    values.params = fmt::format(
        "{}, delta {}, max_nodes {}, floor {}", common_params(tree.format(), input_.options),
        python::repr(input_.options.delta), input_.options.max_nodes, python::repr(floor_));
    if (leaves_end_open_) {
      values.params += fmt::format(", open prompt end {:?}", tree.prompt_end());
    }
  }

 private:
  bool is_finished() const {
    return !ledger_.has_open() || ledger_.n_expanded() >= input_.options.max_nodes ||
           ledger_.unexplored() < input_.options.delta ||
           ledger_.widest(event_) < input_.options.delta;
  }

  // Asks for the best beginnings. Returns false where the best one cannot be had.
  bool ask_further() {
    AnswerTree& tree = input_.asker.tree();
    while (ledger_.has_open() &&
           tree.node(ledger_.node_of(ledger_.best())).depth > tree.rules().max_depth) {
      ledger_.set_aside_best();
    }
    if (!ledger_.has_open()) return false;
    // All that weigh more than delta have to be followed before the rest can weigh less.
    bool has_best = asked_.contains(ledger_.best().number);
    for (const MassLedger::Open& open : ledger_.likeliest(kAtOnce, input_.options.delta)) {
      const bool is_best = open.number == ledger_.best().number;
      const bool is_spent = std::ssize(asked_) >= input_.options.max_nodes;
      if (asked_.contains(open.number) || (is_spent && !is_best)) continue;
      if (input_.asker.need(ledger_.node_of(open)) == Access::Refused) continue;
      asked_.insert(open.number);
      has_best = has_best || is_best;
    }
    return has_best;
  }

  InquiryInput input_;
  Event event_;
  bool leaves_end_open_;
  double floor_;
  MassLedger ledger_;
  std::set<int> asked_;  // numbers of beginnings
};

// The same bounds from what the greedy answer, or its slots, have had computed.
class GreedyBounds final : public Inquiry {
 public:
  explicit GreedyBounds(const InquiryInput& input)
      : input_(input),
        ledger_(input.asker.tree(), input.options.slot_floor),
        slots_(input.options.slot_floor) {}

  bool advance() override {
    if (!input_.asker.greedy().is_done()) return false;
    if (input_.options.bounds_from == BoundsFrom::Slots && !slots_.advance(input_.asker)) {
      return false;
    }
    const AnswerTree& tree = input_.asker.tree();
    while (ledger_.has_open()) {
      const int node = ledger_.node_of(ledger_.best());
      if (tree.node(node).is_reached && is_wanted(node) &&
          input_.asker.need(node) == Access::There) {
        ledger_.expand_best();
      } else {
        ledger_.set_aside_best();
      }
    }
    return true;
  }

  void fill(record::ReadoutValues& values) const override {
    const AnswerFormat& format = input_.asker.tree().format();
    fill_bounds(values, ledger_, format, Event::Prefix);
    values.params = fmt::format(
        "{}, slot_floor {}, bounds_from {}", common_params(format, input_.options),
        python::repr(input_.options.slot_floor), kBoundsFrom.name_of(input_.options.bounds_from));
  }

 private:
  bool is_wanted(int node) const {
    return input_.asker.greedy().has_node(node) ||
           std::any_of(slots_.walks().begin(), slots_.walks().end(),
                       [&](const SlotWalk& walk) { return walk.nodes().contains(node); });
  }

  InquiryInput input_;
  MassLedger ledger_;
  SlotWalks slots_;
};

}  // namespace

InquiryPtr make_marginal_exact(const InquiryInput& input) {
  return std::make_unique<MarginalExact>(input, Event::Prefix);
}

InquiryPtr make_marginal_complete(const InquiryInput& input) {
  return std::make_unique<MarginalExact>(input, Event::Complete);
}

InquiryPtr make_marginal_given_valid(const InquiryInput& input) {
  return std::make_unique<MarginalExact>(input, Event::GivenValid);
}

InquiryPtr make_marginal_bytes(const InquiryInput& input) {
  return std::make_unique<MarginalExact>(input, Event::Prefix, /*leaves_end_open=*/true);
}

void check_marginal_bytes(const AnswerFormat& /*format*/,
                          const tokenizer::Tokenizer& /*tokenizer*/,
                          const ReadoutOptions& options) {
  if (options.tokenisation == Tokenisation::Any) return;
  throw ConfigError(
      "marginal_bytes sums over all tokenisations of an answer; with tokenisation canonical use "
      "marginal_exact");
}

InquiryPtr make_greedy_bounds(const InquiryInput& input) {
  return std::make_unique<GreedyBounds>(input);
}

}  // namespace labelprobe::readout
