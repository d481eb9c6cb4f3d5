#include "readout/answers/slot_walk.h"

#include <numeric>
#include <utility>

namespace labelprobe::readout {

SlotWalk::SlotWalk(const AnswerTree& tree, Slot slot, double floor)
    : slot_(std::move(slot)), floor_(floor), probs_(tree.format().labels.size()) {
  open_.push_back({slot_.node, 1.0});
}

bool SlotWalk::advance(Asker& asker) {
  while (!open_.empty()) {
    switch (asker.need(open_.front().node)) {
      case Access::There:
        expand(asker.tree(), open_.front());
        break;
      case Access::Refused:
        unexplored_ += open_.front().prob;
        break;
      case Access::Asked:
        // The order of the walk, and with it every sum, is the same whoever asked first.
        for (const Beginning& beginning : open_) asker.need(beginning.node);
        return false;
    }
    open_.pop_front();
  }
  return true;
}

// Whether a token brings the slot's label, or another one where an earlier label was to come: then
// there is nothing more to follow.
bool SlotWalk::writes(const AnswerTree::Node& from, const Told& told, double prob) {
  int number = from.n_listed;
  for (const LabelIndex label : told.labels) {
    if (++number == slot_.number) {
      probs_[static_cast<std::size_t>(label)] += prob;
      return true;
    }
    if (slot_.before_labels[static_cast<std::size_t>(number) - 1] != label) return true;
  }
  return false;
}

void SlotWalk::expand(AnswerTree& tree, const Beginning& beginning) {
  const AnswerTree::Node from = tree.node(beginning.node);  // making children moves it
  nodes_.insert(beginning.node);
  unexplored_ += beginning.prob * from.small;
  for (const Move& move : from.moves) {
    const Told& told = tree.group(beginning.node, move).told;
    const double prob = beginning.prob * move.prob;
    if (writes(from, told, prob) || move.is_dead_end) continue;
    if (told.close == Close::Empty) {
      empty_ += prob;
    } else if (told.close == Close::No) {
      if (prob < floor_) {
        unexplored_ += prob;
      } else {
        open_.push_back({tree.child(beginning.node, move.token, move.prob), prob});
      }
    } else {
      ends_ += prob;
    }
  }
}

double SlotWalk::label_mass() const {
  return std::accumulate(probs_.begin(), probs_.end(), empty_);
}

bool SlotWalks::advance(Asker& asker) {
  if (!asker.greedy().is_done()) return false;
  if (walks_.empty()) {
    for (Slot& slot : find_slots(asker.tree(), asker.greedy())) {
      walks_.emplace_back(asker.tree(), std::move(slot), floor_);
    }
  }
  bool is_done = true;
  for (SlotWalk& walk : walks_) is_done = walk.advance(asker) && is_done;
  return is_done;
}

}  // namespace labelprobe::readout
