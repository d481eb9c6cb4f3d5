// Readouts that search for answers in other ways than by their weight: the published walk over the
// likeliest tokens, a beam search, an answer that is made to begin as one likes.

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/repr.h"
#include "labelprobe/python/text.h"

#include "readout/answers/readout_rows.h"
#include "readout/answers/slot_walk.h"

namespace labelprobe::readout {

namespace {

// End of text as probable as this ends the published walk at a node, and so does this candidate
// where end of text is among them.
constexpr double kEndProb = 0.7;
constexpr std::size_t kLastRank = 2;

// Source: Praharaj & Kasundra 2025 (arXiv 2511.22312), as methods beyond the paper's four, section
// 5.1, give the walk. A label met twice on a path counts twice, as published. An answer that the
// format ends is not continued.
class MarginalAny final : public Inquiry {
 public:
  explicit MarginalAny(const InquiryInput& input)
      : input_(input), probs_(input.asker.tree().format().labels.size()) {
    open_.push_back({AnswerTree::kRoot, 1.0});
  }

  bool advance() override {
    while (!open_.empty()) {
      switch (input_.asker.need(open_.front().node)) {
        case Access::There:
          expand(open_.front());
          break;
        case Access::Refused:
          unexplored_ += open_.front().mass;
          break;
        case Access::Asked:
          for (const Prefix& prefix : open_) input_.asker.need(prefix.node);
          return false;
      }
      open_.pop_front();
    }
    return true;
  }

  void fill(record::ReadoutValues& values) const override {
    const AnswerFormat& format = input_.asker.tree().format();
    values.probs = with_names(format, probs_);
    values.empty = empty_;
    values.unexplored = unexplored_;
    values.params =
        fmt::format("{}, top_p {}, eps {}, walk_stops {}", common_params(format, input_.options),
                    python::repr(input_.options.top_p), python::repr(input_.options.eps),
                    kWalkStops.name_of(input_.options.walk_stops));
  }

 private:
  struct Prefix {
    int node = 0;
    double mass = 1.0;
  };

  void count(std::string_view text, double mass) {
    const AnswerFormat& format = input_.asker.tree().format();
    for (std::size_t label = 0; label < probs_.size(); ++label) {
      for (const std::string& spelling : format.labels[label].spellings) {
        if (text.ends_with(spelling)) {
          probs_[label] += mass;
          break;
        }
      }
    }
    for (const std::string& empty : format.empties) {
      if (python::strip(text) == python::strip(empty)) {
        empty_ += mass;
        break;
      }
    }
  }

  void expand(const Prefix& prefix) {
    AnswerTree& tree = input_.asker.tree();
    const std::vector<TokenProb> candidates = tree.node(prefix.node).top;
    const std::string text = tree.text(prefix.node);
    const bool is_published = input_.options.walk_stops == WalkStops::Published;
    const bool has_end = std::any_of(
        candidates.begin(), candidates.end(),
        [&](const TokenProb& candidate) { return tree.automaton().is_end(candidate.token); });
    for (std::size_t rank = 0; rank < candidates.size(); ++rank) {
      const auto& [token, prob] = candidates[rank];
      const double mass = prefix.mass * prob;
      const bool is_end = tree.automaton().is_end(token);
      const std::string bytes = is_end ? "" : tree.tokenizer().token_bytes(token);
      if (!bytes.empty()) count(text + bytes, mass);
      if (is_published && ((is_end && prob >= kEndProb) || (has_end && rank == kLastRank))) return;
      if (is_end || mass < input_.options.eps) continue;
      const int next = tree.child(prefix.node, token, prob);
      if (!ByteAutomaton::is_closed(tree.node(next).state)) open_.push_back({next, mass});
    }
  }

  InquiryInput input_;
  std::vector<double> probs_;
  double empty_ = 0.0;
  double unexplored_ = 0.0;
  std::deque<Prefix> open_;
};

// Answers that have ended leave the beam and take no place in it.
// Source: methods beyond the paper's four, section 5.3 (GROOV, Simig et al. 2022).
class BeamSum final : public Inquiry {
 public:
  explicit BeamSum(const InquiryInput& input)
      : input_(input), probs_(input.asker.tree().format().labels.size()) {
    beams_.push_back({1.0, AnswerTree::kRoot});
  }

  bool advance() override {
    while (!beams_.empty()) {
      bool is_there = true;
      for (const Beam& beam : beams_) {
        is_there = input_.asker.need(beam.node) != Access::Asked && is_there;
      }
      if (!is_there) return false;
      go_on();
    }
    return true;
  }

  void fill(record::ReadoutValues& values) const override {
    const AnswerFormat& format = input_.asker.tree().format();
    values.probs = with_names(format, probs_);
    values.empty = empty_;
    values.unexplored = std::max(0.0, 1.0 - finished_);
    values.params = fmt::format("{}, n_beams {}", common_params(format, input_.options),
                                input_.options.n_beams);
  }

 private:
  struct Beam {
    double mass = 0.0;
    int node = 0;
  };
  struct Candidate {
    double mass = 0.0;
    int parent = 0;
    Move move;
  };

  void go_on() {
    AnswerTree& tree = input_.asker.tree();
    std::vector<Candidate> candidates;
    for (const Beam& beam : beams_) {
      if (!tree.node(beam.node).is_reached) continue;  // no place was left for it
      const std::vector<Move> moves = tree.node(beam.node).moves;
      for (const Move& move : moves) {
        if (move.is_dead_end) continue;
        const Told& told = tree.group(beam.node, move).told;
        const double mass = beam.mass * move.prob;
        if (told.close == Close::No) {
          candidates.push_back({mass, beam.node, move});
        } else {
          finish(beam.node, told, mass);
        }
      }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.mass > b.mass; });
    beams_.clear();
    for (const Candidate& candidate : candidates) {
      if (static_cast<int>(beams_.size()) == input_.options.n_beams) break;
      const int node = tree.child(candidate.parent, candidate.move.token, candidate.move.prob);
      const AnswerTree::Node& made = tree.node(node);
      if (made.depth <= tree.rules().max_depth) {
        beams_.push_back({candidate.mass, node});
      }
    }
  }

  void finish(int node, const Told& told, double mass) {
    AnswerTree& tree = input_.asker.tree();
    finished_ += mass;
    if (told.close == Close::Empty) empty_ += mass;
    const int set = tree.sets().with(tree.node(node).set, told.labels);
    for (const LabelIndex label : tree.sets().labels(set)) {
      probs_[static_cast<std::size_t>(label)] += mass;
    }
  }

  InquiryInput input_;
  std::vector<Beam> beams_;
  std::vector<double> probs_;
  double empty_ = 0.0;
  double finished_ = 0.0;
};

// Source: methods beyond the paper's four, section 5.7.
class ForcedPrefix final : public Inquiry {
 public:
  explicit ForcedPrefix(const InquiryInput& input)
      : input_(input),
        normalisation_(input.options.slot_normalisation.value_or(record::Normalisation::LabelSet)),
        tokens_(input.asker.tree().canonical().tokens_of_answer(input.options.forced_prefix)) {}

  bool advance() override {
    AnswerTree& tree = input_.asker.tree();
    while (!walk_) {
      const Access access = input_.asker.need(node_);
      if (access == Access::Asked) return false;
      if (access == Access::Refused) return true;
      if (n_forced_ == tokens_.size()) {
        walk_.emplace(tree, slot_here(), input_.options.slot_floor);
        break;
      }
      force(tree, tokens_[n_forced_++]);
    }
    return walk_->advance(input_.asker);
  }

  void fill(record::ReadoutValues& values) const override {
    const AnswerFormat& format = input_.asker.tree().format();
    std::vector<double> probs(format.labels.size());
    double unexplored = 1.0;
    double mass = 0.0;
    if (walk_) {
      probs = walk_->probs();
      unexplored = walk_->unexplored();
      mass = std::accumulate(probs.begin(), probs.end(), 0.0);
    }
    const bool is_conditional = normalisation_ == record::Normalisation::LabelSet;
    const double scale = !is_conditional ? prefix_prob_ : mass > 0.0 ? 1.0 / mass : 0.0;
    for (double& prob : probs) prob *= scale;
    values.normalisation = normalisation_;
    values.probs = with_names(format, probs);
    values.label_mass = mass;
    values.unexplored = unexplored;
    values.off_format = std::max(0.0, 1.0 - mass - unexplored);
    values.params =
        fmt::format("{}, slot_floor {}, forced_prefix {}, normalisation {}",
                    common_params(format, input_.options), python::repr(input_.options.slot_floor),
                    input_.options.forced_prefix, record::kNormalisations.name_of(normalisation_));
  }

 private:
  void force(AnswerTree& tree, TokenId token) {
    const std::vector<TokenId>& watched = tree.rules().watched;
    const auto at = std::find(watched.begin(), watched.end(), token) - watched.begin();
    LABELPROBE_CHECK(at < static_cast<std::ptrdiff_t>(watched.size()));
    const double prob = tree.node(node_).watched[static_cast<std::size_t>(at)];
    prefix_prob_ *= prob;
    if (const TokenGroup* group = tree.find_group(tree.node(node_).state, token)) {
      listed_.insert(listed_.end(), group->told.labels.begin(), group->told.labels.end());
    }
    node_ = tree.child(node_, token, prob);
  }

  Slot slot_here() const {
    Slot slot;
    slot.node = node_;
    slot.number = static_cast<int>(listed_.size()) + 1;
    slot.before_labels = listed_;
    return slot;
  }

  InquiryInput input_;
  record::Normalisation normalisation_;
  TokenIds tokens_;
  std::size_t n_forced_ = 0;
  int node_ = AnswerTree::kRoot;
  double prefix_prob_ = 1.0;
  Labels listed_;  // by the prefix
  std::optional<SlotWalk> walk_;
};

}  // namespace

void check_forced_prefix(const AnswerFormat& format,
                         const tokenizer::Tokenizer& /*tokenizer*/,
                         const ReadoutOptions& options) {
  if (options.forced_prefix.empty()) {
    throw ConfigError("forced_prefix: there is no text that answers are to begin with");
  }
  ByteAutomaton bytes(format);
  int state = ByteAutomaton::kStart;
  for (const char byte : options.forced_prefix) {
    state = bytes.step(state, static_cast<unsigned char>(byte)).state;
  }
  if (state == ByteAutomaton::kDead || bytes.outlook(state).is_nothing()) {
    throw ConfigError(fmt::format("forced_prefix: no label can follow '{}' in this format",
                                  options.forced_prefix));
  }
}

InquiryPtr make_marginal_any(const InquiryInput& input) {
  return std::make_unique<MarginalAny>(input);
}

InquiryPtr make_beam_sum(const InquiryInput& input) {
  return std::make_unique<BeamSum>(input);
}

InquiryPtr make_forced_prefix(const InquiryInput& input) {
  return std::make_unique<ForcedPrefix>(input);
}

}  // namespace labelprobe::readout
