// Readouts at the slots of the greedy answer.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/repr.h"

#include "readout/answers/readout_rows.h"
#include "readout/answers/slot_values.h"

namespace labelprobe::readout {

namespace {

using record::Normalisation;

std::string slot_params(const InquiryInput& input, Normalisation normalisation) {
  return fmt::format("{}, normalisation {}",
                     common_params(input.asker.tree().format(), input.options),
                     record::kNormalisations.name_of(normalisation));
}

std::string walk_params(const InquiryInput& input, Normalisation normalisation) {
  return fmt::format("{}, slot_floor {}", slot_params(input, normalisation),
                     python::repr(input.options.slot_floor));
}

void add_walks(record::ReadoutValues& values,
               const AnswerTree& tree,
               const SlotWalks& slots,
               Normalisation normalisation) {
  for (const SlotWalk& walk : slots.walks()) {
    values.slots.push_back(slot_values(tree, walk.slot(), probs_of(walk), normalisation));
  }
}

// The walks of all slots; the first one's probabilities are the readout's.
class SlotTrie final : public Inquiry {
 public:
  explicit SlotTrie(const InquiryInput& input)
      : input_(input),
        normalisation_(input.options.slot_normalisation.value_or(Normalisation::Vocab)),
        slots_(input.options.slot_floor) {}

  bool advance() override { return slots_.advance(input_.asker); }

  void fill(record::ReadoutValues& values) const override {
    const AnswerTree& tree = input_.asker.tree();
    values.params = walk_params(input_, normalisation_);
    fill_slot(values, tree.format(), probs_of(slots_.walks().front()), normalisation_);
    add_walks(values, tree, slots_, normalisation_);
  }

 private:
  InquiryInput input_;
  Normalisation normalisation_;
  SlotWalks slots_;
};

class HazardUnion final : public Inquiry {
 public:
  explicit HazardUnion(const InquiryInput& input)
      : input_(input), slots_(input.options.slot_floor) {}

  bool advance() override { return slots_.advance(input_.asker); }

  void fill(record::ReadoutValues& values) const override {
    values.params = walk_params(input_, Normalisation::Vocab);
    const AnswerTree& tree = input_.asker.tree();
    std::vector<double> probs(tree.format().labels.size());
    for (std::size_t label = 0; label < probs.size(); ++label) {
      double none = 1.0;
      for (const SlotWalk& walk : slots_.walks()) {
        none *= 1.0 - walk.probs()[label];
        if (walk.slot().written == static_cast<LabelIndex>(label)) break;
      }
      probs[label] = 1.0 - none;
    }
    values.probs = with_names(tree.format(), probs);
    values.empty = slots_.walks().front().empty();
    values.label_mass = slots_.walks().front().label_mass();
    add_walks(values, tree, slots_, Normalisation::Vocab);
  }

 private:
  InquiryInput input_;
  SlotWalks slots_;
};

// The tokens with which each label and the empty answer would begin at a slot.
struct FirstTokens {
  std::vector<std::set<TokenId>> labels;
  std::set<TokenId> empty;

  // The first label that has a token of an earlier one, with that one and the token.
  struct Shared {
    std::size_t label = 0;
    std::size_t other = 0;
    TokenId token = 0;
  };
  std::optional<Shared> find_shared() const {
    std::map<TokenId, std::size_t> by_token;
    for (std::size_t label = 0; label < labels.size(); ++label) {
      for (const TokenId token : labels[label]) {
        const auto [other, is_new] = by_token.emplace(token, label);
        if (!is_new && other->second != label) return Shared{label, other->second, token};
      }
    }
    return std::nullopt;
  }
};

//   before     text of the answer before the slot
//   tokens_of  the tokens of a text there
template <class TokensOf>
FirstTokens first_tokens_of(const AnswerFormat& format,
                            const std::string& before,
                            const TokensOf& tokens_of) {
  FirstTokens found;
  for (const AnswerLabel& label : format.labels) {
    std::set<TokenId>& tokens = found.labels.emplace_back();
    for (const std::string& spelling : label.spellings) tokens.insert(tokens_of(spelling).front());
  }
  for (const std::string& empty : format.empties) {
    if (!empty.starts_with(before) || empty.size() == before.size()) continue;
    found.empty.insert(tokens_of(empty.substr(before.size())).front());
  }
  return found;
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

  // Later slots at which labels share a token, as where the separator's holds the next label's
  // first byte, say nothing and are left out.
  bool advance() override {
    const GreedyPath& greedy = input_.asker.greedy();
    if (!greedy.is_done()) return false;
    const AnswerTree& tree = input_.asker.tree();
    for (Slot& slot : find_slots(tree, greedy)) {
      LABELPROBE_CHECK(input_.asker.need(slot.node) == Access::There);
      const FirstTokens first =
          first_tokens_of(tree.format(), slot.before,
                          [&](const std::string& text) { return tokens_at(tree, slot, text); });
      if (slot.number > 1 && first.find_shared()) continue;
      probs_.push_back(read(first, tree.node(slot.node)));
      slots_.push_back(std::move(slot));
    }
    return true;
  }

  void fill(record::ReadoutValues& values) const override {
    const AnswerTree& tree = input_.asker.tree();
    values.params =
        slot_params(input_, normalisation_) +
        (probs_.front().empty ? ", none among the labels" : ", none not among the labels");
    fill_slot(values, tree.format(), probs_.front(), normalisation_);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      values.slots.push_back(slot_values(tree, slots_[i], probs_[i], normalisation_));
    }
  }

 private:
  static SlotProbs read(const FirstTokens& first, const AnswerTree::Node& node) {
    SlotProbs probs;
    for (const std::set<TokenId>& tokens : first.labels) {
      probs.labels.push_back(prob_of(node, tokens));
    }
    if (!first.empty.empty()) probs.empty = prob_of(node, first.empty);
    return probs;
  }

  InquiryInput input_;
  Normalisation normalisation_;
  std::vector<Slot> slots_;
  std::vector<SlotProbs> probs_;
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
        spellings_.push_back(
            {static_cast<LabelIndex>(label), text, tokens_at(tree, slot, text), slot.node, 0, 0.0});
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
    const std::string before = "\n" + opener;
    const auto tokens_of = [&](const std::string& text) {
      return canonical.tokens_of(before, text);
    };
    const auto shared = first_tokens_of(format, before, tokens_of).find_shared();
    if (!shared) continue;
    throw ConfigError(
        fmt::format("first_token: the labels '{}' and '{}' begin with the same token '{}' behind "
                    "'{}'; slot_trie tells them apart",
                    format.labels[shared->other].name, format.labels[shared->label].name,
                    tokenizer.token_bytes(shared->token), opener));
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
