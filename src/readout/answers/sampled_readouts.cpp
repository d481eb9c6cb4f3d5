// Readouts of answers drawn at temperature 1.
// Source: methods beyond the paper's four, section 5.4.

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/python/random.h"

#include "readout/answers/readout_rows.h"

namespace labelprobe::readout {

namespace {

enum class Estimate {
  Frequency,     // how many answers list a label
  RaoBlackwell,  // sum, along an answer, of the probability that the next token finishes it first
};

// What the tokens behind a node add to a draw's estimates; -1 stands for the empty answer.
struct Gain {
  LabelIndex label = -1;
  double prob = 0.0;
};

class Draws final : public Inquiry {
 public:
  Draws(const InquiryInput& input, Estimate estimate)
      : input_(input),
        estimate_(estimate),
        random_(input.seed),
        draws_(static_cast<std::size_t>(input.options.n_samples)) {}

  // All draws go on by one token together, so that the random numbers are in the same order however
  // much of the tree is there.
  bool advance() override {
    while (true) {
      bool is_there = true;
      for (Draw& draw : draws_) {
        if (draw.is_done) continue;
        const Access access = input_.asker.need(draw.node);
        if (access == Access::Refused) finish(draw, record::DrawEnd::Cut);
        is_there = is_there && access != Access::Asked;
      }
      if (!is_there) return false;
      bool is_any_left = false;
      for (Draw& draw : draws_) {
        if (!draw.is_done) step(draw);
        is_any_left = is_any_left || !draw.is_done;
      }
      if (!is_any_left) return true;
    }
  }

  void fill(record::ReadoutValues& values) const override {
    const AnswerFormat& format = input_.asker.tree().format();
    const auto n = static_cast<double>(draws_.size());
    std::vector<double> sums(format.labels.size());
    std::vector<double> squares(format.labels.size());
    double empty = 0.0;
    for (const Draw& draw : draws_) {
      for (const Gain& gain : draw.gains) {
        if (gain.label < 0) {
          empty += gain.prob;
          continue;
        }
        sums[static_cast<std::size_t>(gain.label)] += gain.prob;
        squares[static_cast<std::size_t>(gain.label)] += gain.prob * gain.prob;
      }
    }
    std::vector<double> errors(sums.size());
    for (std::size_t label = 0; label < sums.size(); ++label) {
      const double mean = sums[label] / n;
      const double variance =
          n > 1 ? std::max(0.0, (squares[label] - n * mean * mean) / (n - 1)) : 0.0;
      errors[label] = std::sqrt(variance / n);
      sums[label] = std::clamp(mean, 0.0, 1.0);
    }
    values.probs = with_names(format, sums);
    values.std_errors = with_names(format, errors);
    values.empty = empty / n;
    values.off_format = static_cast<double>(n_ended(record::DrawEnd::OffFormat)) / n;
    values.unexplored = static_cast<double>(n_ended(record::DrawEnd::Cut)) / n;
    values.drawn = drawn_answers();
    values.n_samples = static_cast<std::int64_t>(draws_.size());
    values.params = fmt::format("{}, n_samples {}, seed {}", common_params(format, input_.options),
                                input_.options.n_samples, input_.options.seed);
  }

 private:
  struct Draw {
    int node = AnswerTree::kRoot;
    bool is_done = false;
    std::vector<Gain> gains;  // one for a label
    // Once it is done.
    std::string text;
    record::DrawEnd end = record::DrawEnd::Closed;
  };

  // Ends a draw at its node, or with a token behind it.
  void finish(Draw& draw, record::DrawEnd end, const std::string& last = "") {
    draw.is_done = true;
    draw.end = end;
    draw.text = input_.asker.tree().text(draw.node) + last;
    draw.text.erase(draw.text.find_last_not_of(" \t\r\n") + 1);
    draw.text = utf8_lossy(draw.text);
  }

  // The bytes of a move's token; of those that have no move of their own, the first one's.
  std::string bytes_of(int node, const Move& move) const {
    const AnswerTree& tree = input_.asker.tree();
    const TokenId token =
        move.token == Move::kRest ? tree.group(node, move).tokens.front() : move.token;
    return tree.automaton().is_end(token) ? "" : tree.tokenizer().token_bytes(token);
  }

  std::ptrdiff_t n_ended(record::DrawEnd end) const {
    return std::count_if(draws_.begin(), draws_.end(),
                         [&](const Draw& draw) { return draw.end == end; });
  }

  std::vector<record::DrawnAnswer> drawn_answers() const {
    std::map<std::pair<std::string, record::DrawEnd>, std::int64_t> counts;
    for (const Draw& draw : draws_) ++counts[{draw.text, draw.end}];
    std::vector<record::DrawnAnswer> drawn;
    for (const auto& [answer, n] : counts) drawn.push_back({answer.first, answer.second, n});
    std::stable_sort(drawn.begin(), drawn.end(),
                     [](const auto& a, const auto& b) { return a.n > b.n; });
    return drawn;
  }

  static void add(std::vector<Gain>& gains, LabelIndex label, double prob) {
    for (Gain& gain : gains) {
      if (gain.label == label) {
        gain.prob += prob;
        return;
      }
    }
    gains.push_back({label, prob});
  }

  void add_told(std::vector<Gain>& gains, int set, const Told& told, double prob) const {
    for (std::size_t i = 0; i < told.labels.size(); ++i) {
      const auto end = told.labels.begin() + static_cast<std::ptrdiff_t>(i);
      const bool is_repeat = std::find(told.labels.begin(), end, told.labels[i]) != end;
      if (!is_repeat && !input_.asker.tree().sets().has(set, told.labels[i])) {
        add(gains, told.labels[i], prob);
      }
    }
    if (told.close == Close::Empty) add(gains, -1, prob);
  }

  const std::vector<Gain>& gains_at(int node) {
    const auto [found, is_new] = gains_.try_emplace(node);
    if (is_new) {
      const AnswerTree& tree = input_.asker.tree();
      for (const Move& move : tree.node(node).moves) {
        add_told(found->second, tree.node(node).set, tree.group(node, move).told, move.prob);
      }
    }
    return found->second;
  }

  void step(Draw& draw) {
    AnswerTree& tree = input_.asker.tree();
    if (estimate_ == Estimate::RaoBlackwell) {
      for (const Gain& gain : gains_at(draw.node)) add(draw.gains, gain.label, gain.prob);
    }
    double rest = random_.random();
    const std::vector<Move>& moves = tree.node(draw.node).moves;
    const auto drawn = std::find_if(moves.begin(), moves.end(), [&](const Move& move) {
      rest -= move.prob;
      return rest < 0.0;
    });
    if (drawn == moves.end()) {
      finish(draw, record::DrawEnd::OffFormat);
      return;
    }
    const Move move = *drawn;
    const Told& told = tree.group(draw.node, move).told;
    const int set = tree.node(draw.node).set;
    if (estimate_ == Estimate::Frequency) add_told(draw.gains, set, told, 1.0);
    if (told.close != Close::No || move.is_dead_end) {
      finish(draw, move.is_dead_end ? record::DrawEnd::OffFormat : record::DrawEnd::Closed,
             bytes_of(draw.node, move));
      return;
    }
    draw.node = tree.child(draw.node, move.token, move.prob);
  }

  InquiryInput input_;
  Estimate estimate_;
  python::Random random_;
  std::vector<Draw> draws_;
  std::unordered_map<int, std::vector<Gain>> gains_;  // by node
};

}  // namespace

InquiryPtr make_mc(const InquiryInput& input) {
  return std::make_unique<Draws>(input, Estimate::Frequency);
}

InquiryPtr make_mc_rb(const InquiryInput& input) {
  return std::make_unique<Draws>(input, Estimate::RaoBlackwell);
}

}  // namespace labelprobe::readout
