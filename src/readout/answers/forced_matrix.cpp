// Which label follows each label: every one of them is put into the model's mouth once.
// Source: methods beyond the paper's four, sections 5.7 and 10.6.

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/repr.h"

#include "readout/answers/readout_rows.h"
#include "readout/answers/slot_values.h"

namespace labelprobe::readout {

namespace {

using record::Normalisation;

// A matrix of more labels is more than an item's record should hold.
constexpr std::size_t kMostLabels = 128;

class ForcedMatrix final : public Inquiry {
 public:
  explicit ForcedMatrix(const InquiryInput& input)
      : input_(input),
        normalisation_(input.options.slot_normalisation.value_or(Normalisation::LabelSet)) {}

  bool advance() override {
    if (!input_.asker.greedy().is_done()) return false;
    if (!unforced_) start();
    bool is_done = unforced_->advance(input_.asker);
    for (Row& row : rows_) is_done = advance(row) && is_done;
    return is_done;
  }

  void fill(record::ReadoutValues& values) const override {
    const AnswerTree& tree = input_.asker.tree();
    values.params = fmt::format(
        "{}, slot_floor {}, normalisation {}", common_params(tree.format(), input_.options),
        python::repr(input_.options.slot_floor), record::kNormalisations.name_of(normalisation_));
    fill_slot(values, tree.format(), probs_of(*unforced_), normalisation_);
    double unexplored = unforced_->unexplored();
    for (const Row& row : rows_) {
      unexplored = std::max(unexplored, row.behind ? row.behind->unexplored() : 1.0);
      if (!row.behind) continue;
      values.forced.push_back(
          slot_values(tree, row.behind->slot(), probs_of(*row.behind), normalisation_));
    }
    values.unexplored = unexplored;
  }

 private:
  struct Row {
    LabelIndex label = 0;
    TokenIds tokens;  // that spell it behind the greedy answer's opener
    std::size_t n_forced = 0;
    int node = AnswerTree::kRoot;
    std::optional<SlotWalk> behind;
    bool is_given_up = false;  // no place was left, or its tokens are another answer's beginning
  };

  // Whether an answer that begins so may list the label first. One that has been finished is at
  // times another: eager ones are, as soon as their text is there.
  bool may_be_only(const AnswerTree::Node& at, LabelIndex label) const {
    const bool is_listed = input_.asker.tree().sets().has(at.set, label);
    return at.state != ByteAutomaton::kDead && at.n_listed == (is_listed ? 1 : 0);
  }

  void start() {
    const AnswerTree& tree = input_.asker.tree();
    const Slot first = find_slots(tree, input_.asker.greedy()).front();
    unforced_.emplace(tree, first, input_.options.slot_floor);
    const std::vector<AnswerLabel>& labels = tree.format().labels;
    for (std::size_t label = 0; label < labels.size(); ++label) {
      Row& row = rows_.emplace_back();
      row.label = static_cast<LabelIndex>(label);
      row.tokens = tokens_at(tree, first, labels[label].spellings.front());
      row.node = first.node;
    }
  }

  bool advance(Row& row) {
    while (!row.behind && !row.is_given_up) {
      const Access access = input_.asker.need(row.node);
      if (access == Access::Asked) return false;
      AnswerTree& tree = input_.asker.tree();
      if (access == Access::Refused || !may_be_only(tree.node(row.node), row.label)) {
        row.is_given_up = true;
      } else if (row.n_forced == row.tokens.size()) {
        Slot slot;
        slot.node = row.node;
        slot.number = 2;
        slot.before_labels = {row.label};
        row.behind.emplace(tree, slot, input_.options.slot_floor);
      } else {
        const TokenId token = row.tokens[row.n_forced++];
        row.node = tree.child(row.node, token, prob_of(tree.node(row.node), token));
      }
    }
    return row.is_given_up || row.behind->advance(input_.asker);
  }

  InquiryInput input_;
  Normalisation normalisation_;
  std::optional<SlotWalk> unforced_;
  std::vector<Row> rows_;
};

}  // namespace

void check_forced_matrix(const AnswerFormat& format,
                         const tokenizer::Tokenizer& /*tokenizer*/,
                         const ReadoutOptions& /*options*/) {
  if (format.separators.empty() || format.max_labels == 1) {
    throw ConfigError("forced_matrix: these answers have one label; no other follows it");
  }
  if (format.labels.size() > kMostLabels) {
    throw ConfigError(fmt::format(
        "forced_matrix: {} labels would make a matrix of {} numbers for every item; expected at "
        "most {} labels (forced_prefix tells what follows one beginning)",
        format.labels.size(), format.labels.size() * format.labels.size(), kMostLabels));
  }
}

InquiryPtr make_forced_matrix(const InquiryInput& input) {
  return std::make_unique<ForcedMatrix>(input);
}

}  // namespace labelprobe::readout
