// Readouts at the slots of the greedy answer.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/repr.h"

#include "readout/answers/readout_rows.h"
#include "readout/answers/slot_walk.h"

namespace labelprobe::readout {

namespace {

using record::Normalisation;

// Numbers of the whole vocabulary as they are, or as shares of the labels' and the empty answer's.
void fill_slot(record::ReadoutValues& values,
               const AnswerFormat& format,
               std::vector<double> probs,
               std::optional<double> empty,
               double unexplored) {
  const double mass = std::accumulate(probs.begin(), probs.end(), empty.value_or(0.0));
  values.label_mass = mass;
  values.off_format = std::max(0.0, 1.0 - mass - unexplored);
  values.unexplored = unexplored;
  if (values.normalisation == Normalisation::LabelSet && mass > 0.0) {
    for (double& prob : probs) prob /= mass;
    if (empty) *empty /= mass;
  }
  values.probs = with_names(format, probs);
  values.empty = empty;
}

std::string slot_params(const InquiryInput& input, Normalisation normalisation) {
  return fmt::format("{}, normalisation {}",
                     common_params(input.asker.tree().format(), input.options),
                     record::kNormalisations.name_of(normalisation));
}

std::string walk_params(const InquiryInput& input, Normalisation normalisation) {
  return fmt::format("{}, slot_floor {}", slot_params(input, normalisation),
                     python::repr(input.options.slot_floor));
}

// The walk of the first slot.
class SlotTrie final : public Inquiry {
 public:
  explicit SlotTrie(const InquiryInput& input)
      : input_(input),
        normalisation_(input.options.slot_normalisation.value_or(Normalisation::Vocab)) {}

  bool advance() override {
    if (!input_.asker.greedy().is_done()) return false;
    AnswerTree& tree = input_.asker.tree();
    if (!walk_) {
      walk_.emplace(tree, find_slots(tree, input_.asker.greedy()).front(),
                    input_.options.slot_floor);
    }
    return walk_->advance(input_.asker);
  }

  void fill(record::ReadoutValues& values) const override {
    values.normalisation = normalisation_;
    values.params = walk_params(input_, normalisation_);
    fill_slot(values, input_.asker.tree().format(), walk_->probs(), walk_->empty(),
              walk_->unexplored());
  }

 private:
  InquiryInput input_;
  Normalisation normalisation_;
  std::optional<SlotWalk> walk_;
};

class HazardUnion final : public Inquiry {
 public:
  explicit HazardUnion(const InquiryInput& input) : input_(input) {}

  bool advance() override {
    if (!input_.asker.greedy().is_done()) return false;
    AnswerTree& tree = input_.asker.tree();
    if (walks_.empty()) {
      for (Slot& slot : find_slots(tree, input_.asker.greedy())) {
        walks_.emplace_back(tree, std::move(slot), input_.options.slot_floor);
      }
    }
    bool is_done = true;
    for (SlotWalk& walk : walks_) is_done = walk.advance(input_.asker) && is_done;
    return is_done;
  }

  void fill(record::ReadoutValues& values) const override {
    values.params = walk_params(input_, Normalisation::Vocab);
    const AnswerFormat& format = input_.asker.tree().format();
    std::vector<double> probs(format.labels.size());
    for (std::size_t label = 0; label < probs.size(); ++label) {
      double none = 1.0;
      for (const SlotWalk& walk : walks_) {
        none *= 1.0 - walk.probs()[label];
        if (walk.slot().written == static_cast<LabelIndex>(label)) break;
      }
      probs[label] = 1.0 - none;
    }
    values.probs = with_names(format, probs);
    values.empty = walks_.front().empty();
    values.label_mass = walks_.front().label_mass();
  }

 private:
  InquiryInput input_;
  std::vector<SlotWalk> walks_;
};

// The tokens with which each label and the empty answer would begin at a slot.
struct FirstTokens {
  std::vector<std::set<TokenId>> labels;
  std::set<TokenId> empty;
};

FirstTokens first_tokens_of(const AnswerFormat& format,
                            const CanonicalText& canonical,
                            const std::string& before) {
  FirstTokens found;
  for (const AnswerLabel& label : format.labels) {
    std::set<TokenId>& tokens = found.labels.emplace_back();
    for (const std::string& spelling : label.spellings) {
      tokens.insert(canonical.tokens_of(before, spelling).front());
    }
  }
  for (const std::string& empty : format.empties) {
    if (!empty.starts_with(before) || empty.size() == before.size()) continue;
    found.empty.insert(canonical.tokens_of(before, empty.substr(before.size())).front());
  }
  return found;
}

double prob_of(const AnswerTree::Node& node, TokenId token) {
  for (const Move& move : node.moves) {
    if (move.token == token) return move.prob;
  }
  return 0.0;
}

double prob_of(const AnswerTree::Node& node, const std::set<TokenId>& tokens) {
  double sum = 0.0;
  for (const TokenId token : tokens) sum += prob_of(node, token);
  return sum;
}

class FirstToken final : public Inquiry {
 public:
  explicit FirstToken(const InquiryInput& input)
      : input_(input),
        normalisation_(input.options.slot_normalisation.value_or(Normalisation::LabelSet)) {}

  bool advance() override {
    const GreedyPath& greedy = input_.asker.greedy();
    if (!greedy.is_done()) return false;
    AnswerTree& tree = input_.asker.tree();
    const Slot slot = find_slots(tree, greedy).front();
    if (input_.asker.need(slot.node) != Access::There) return false;
    const FirstTokens first = first_tokens_of(tree.format(), tree.canonical(), slot.before);
    const AnswerTree::Node& node = tree.node(slot.node);
    for (const std::set<TokenId>& tokens : first.labels) probs_.push_back(prob_of(node, tokens));
    if (!first.empty.empty()) empty_ = prob_of(node, first.empty);
    return true;
  }

  void fill(record::ReadoutValues& values) const override {
    values.normalisation = normalisation_;
    values.params = slot_params(input_, normalisation_) +
                    (empty_ ? ", none among the labels" : ", none not among the labels");
    fill_slot(values, input_.asker.tree().format(), probs_, empty_, 0.0);
  }

 private:
  InquiryInput input_;
  Normalisation normalisation_;
  std::vector<double> probs_;
  std::optional<double> empty_;
};

// Each label's own tokens, one after the other.
class LengthNormalised final : public Inquiry {
 public:
  explicit LengthNormalised(const InquiryInput& input) : input_(input) {}

  bool advance() override {
    if (!input_.asker.greedy().is_done()) return false;
    if (spellings_.empty()) start();
    bool is_done = true;
    for (Spelling& spelling : spellings_) is_done = follow(spelling) && is_done;
    return is_done;
  }

  void fill(record::ReadoutValues& values) const override {
    values.params = fmt::format("{}, length_unit {}",
                                common_params(input_.asker.tree().format(), input_.options),
                                kLengthUnits.name_of(input_.options.length_unit));
    std::vector<double> probs(input_.asker.tree().format().labels.size());
    for (const Spelling& spelling : spellings_) {
      double& best = probs[static_cast<std::size_t>(spelling.label)];
      best = std::max(best, std::exp(spelling.logp / length_of(spelling)));
    }
    values.probs = with_names(input_.asker.tree().format(), probs);
  }

 private:
  struct Spelling {
    LabelIndex label = 0;
    std::string text;
    TokenIds tokens;
    int node = 0;
    std::size_t n_followed = 0;
    double logp = 0.0;
  };

  void start() {
    const AnswerTree& tree = input_.asker.tree();
    const Slot slot = find_slots(tree, input_.asker.greedy()).front();
    const std::vector<AnswerLabel>& labels = tree.format().labels;
    for (std::size_t label = 0; label < labels.size(); ++label) {
      for (const std::string& text : labels[label].spellings) {
        spellings_.push_back({static_cast<LabelIndex>(label), text,
                              tree.canonical().tokens_of(slot.before, text), slot.node, 0, 0.0});
      }
    }
  }

  bool follow(Spelling& spelling) {
    while (spelling.n_followed < spelling.tokens.size()) {
      const Access access = input_.asker.need(spelling.node);
      if (access == Access::Asked) return false;
      AnswerTree& tree = input_.asker.tree();
      const TokenId token = spelling.tokens[spelling.n_followed];
      const double prob =
          access == Access::Refused ? 0.0 : prob_of(tree.node(spelling.node), token);
      spelling.logp += std::log(prob);
      ++spelling.n_followed;
      if (prob <= 0.0) break;
      if (spelling.n_followed < spelling.tokens.size()) {
        spelling.node = tree.child(spelling.node, token, prob);
      }
    }
    spelling.n_followed = spelling.tokens.size();
    return true;
  }

  double length_of(const Spelling& spelling) const {
    switch (input_.options.length_unit) {
      case LengthUnit::Raw:
        return 1.0;
      case LengthUnit::Token:
        return static_cast<double>(spelling.tokens.size());
      case LengthUnit::Character:
        return static_cast<double>(std::count_if(
            spelling.text.begin(), spelling.text.end(),
            [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) != 0x80u; }));
      case LengthUnit::Byte:
        return static_cast<double>(spelling.text.size());
    }
    return 1.0;
  }

  InquiryInput input_;
  std::vector<Spelling> spellings_;
};

}  // namespace

void check_first_tokens(const AnswerFormat& format,
                        const tokenizer::Tokenizer& tokenizer,
                        const ReadoutOptions& /*options*/) {
  const CanonicalText canonical(tokenizer, {});
  for (const std::string& opener : format.openers) {
    std::map<TokenId, std::string> by_token;
    const FirstTokens first = first_tokens_of(format, canonical, "\n" + opener);
    for (std::size_t label = 0; label < first.labels.size(); ++label) {
      for (const TokenId token : first.labels[label]) {
        const std::string& name = format.labels[label].name;
        const auto [other, is_new] = by_token.emplace(token, name);
        if (!is_new && other->second != name) {
          throw ConfigError(
              fmt::format("first_token: the labels '{}' and '{}' begin with the same token '{}' "
                          "behind '{}'; slot_trie tells them apart",
                          other->second, name, tokenizer.token_bytes(token), opener));
        }
      }
    }
  }
}

InquiryPtr make_first_token(const InquiryInput& input) {
  return std::make_unique<FirstToken>(input);
}

InquiryPtr make_slot_trie(const InquiryInput& input) {
  return std::make_unique<SlotTrie>(input);
}

InquiryPtr make_hazard_union(const InquiryInput& input) {
  return std::make_unique<HazardUnion>(input);
}

InquiryPtr make_length_normalised(const InquiryInput& input) {
  return std::make_unique<LengthNormalised>(input);
}

}  // namespace labelprobe::readout
