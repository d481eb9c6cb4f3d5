// How probable it is that each label is the one written at a slot: the trie of the tokens that
// spell them there, scored once.
// Source: methods beyond the paper's four, section 3.2 (chain rule).
#pragma once

#include <deque>
#include <set>
#include <vector>

#include "readout/answers/greedy_path.h"
#include "readout/answers/inquiry.h"

namespace labelprobe::readout {

class SlotWalk {
 public:
  // The next label behind the slot's node that is the slot's, given that node. Continuations less
  // probable than `floor` are not followed.
  SlotWalk(const AnswerTree& tree, Slot slot, double floor);

  // As Inquiry::advance().
  bool advance(Asker& asker);

  const Slot& slot() const { return slot_; }
  const std::vector<double>& probs() const { return probs_; }  // by label; vocab
  double empty() const { return empty_; }                      // the answer ends, listing nothing
  double ends() const { return ends_; }  // it ends before the slot's label, listing others
  double unexplored() const { return unexplored_; }
  double label_mass() const;                             // of all labels and the empty answer
  const std::set<int>& nodes() const { return nodes_; }  // that were expanded

 private:
  struct Beginning {
    int node = 0;
    double prob = 1.0;  // given the slot's node
  };
  void expand(AnswerTree& tree, const Beginning& beginning);
  bool writes(const AnswerTree::Node& from, const Told& told, double prob);

  Slot slot_;
  double floor_;
  std::deque<Beginning> open_;
  std::vector<double> probs_;
  double empty_ = 0.0;
  double ends_ = 0.0;
  double unexplored_ = 0.0;
  std::set<int> nodes_;
};

// The walks of all slots of the greedy answer.
class SlotWalks {
 public:
  explicit SlotWalks(double floor) : floor_(floor) {}

  // As Inquiry::advance(). The walks are there once the greedy answer is known.
  bool advance(Asker& asker);

  // In the order of the answer; never none once done.
  const std::vector<SlotWalk>& walks() const { return walks_; }

 private:
  double floor_;
  std::vector<SlotWalk> walks_;
};

}  // namespace labelprobe::readout
