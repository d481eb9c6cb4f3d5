// Where the probability of all answers of a prompt is: in answers that have ended, off format, and
// in beginnings that nobody has followed yet. Gives bounds of each label's probability that hold at
// every moment. Where the prompt's end is open, all numbers are relative to the answers that have
// written it.
// Source: methods beyond the paper's four, section 5.2 (first-occurrence enumeration).
#pragma once

#include <map>
#include <vector>

#include "readout/answers/answer_tree.h"

namespace labelprobe::readout {

// What the probability of a label is that of.
enum class Event {
  Prefix,      // it is written, whatever follows
  Complete,    // it is written, and the answer ends as the format says
  GivenValid,  // it is written, given that the answer ends so
};

struct Bounds {
  double lower = 0.0;
  double upper = 0.0;
};

class MassLedger {
 public:
  // References the tree. Beginnings less probable than `floor` are counted, not followed.
  MassLedger(AnswerTree& tree, double floor);

  // A beginning that may be followed.
  struct Open {
    double mass = 0.0;  // of all that the model may write: not relative
    int number = 0;     // in the order in which they were found
    int parent = -1;
    Move move;
    int state = 0;
    int set = 0;
    int n_listed = 0;
    int node = -1;  // of the tree, where it has been made already
  };

  bool has_open() const { return !open_.empty(); }
  // The most probable beginning; among equals the one found first.
  const Open& best() const { return open_.front(); }
  // The `n` most probable ones, and all others from `share` on; most probable first.
  std::vector<Open> likeliest(std::size_t n, double share) const;
  int node_of(const Open& open);

  // Goes one token beyond the best one, whose node has been reached.
  void expand_best();
  // Leaves the best one unexplored for good.
  void set_aside_best();

  double off() const { return off_ / whole(); }                // off format
  double unexplored() const { return open_mass() / whole(); }  // neither ended nor off format
  int n_expanded() const { return n_expanded_; }
  Bounds bounds(LabelIndex label, Event event) const;
  double widest(Event event) const;                       // largest upper - lower over the labels
  double empty() const { return set(SeenSets::kEmpty); }  // in the answer that lists nothing
  double any_label() const { return any_label_ / whole(); }  // where some label has been written
  // By number of the tree's SeenSets: answers that have ended and list exactly these labels.
  double set(int number) const;
  std::vector<int> found_sets() const;

 private:
  // Mass that may still come to hold labels.
  struct Tally {
    double mass = 0.0;                // all of it
    double all = 0.0;                 // where every label may follow
    std::vector<double> seen_in_all;  // by label: of `all`, where it has been listed already
    std::vector<double> few;          // by label: else, where it may follow for the first time
    std::vector<double> seen;         // by label: where it has been listed, of all of it
  };
  void count(Tally& tally, const Open& open, double sign) const;
  void settle(const Open& from, const Told& told, double mass);
  void follow(const Open& from, int node, const Move& move, double mass);
  Open pop_best();
  void push(Open open);
  void add_new_labels(int set, const Told& told, double mass);
  double may_write(LabelIndex label) const;
  double open_mass() const;
  double whole() const;

  AnswerTree& tree_;
  double floor_;
  std::vector<Open> open_;  // a heap
  int n_found_ = 0;
  int n_expanded_ = 0;
  std::vector<double> lower_;  // by label, Event::Prefix
  std::vector<double> complete_;
  std::map<int, double> sets_;
  // Masses.
  double done_ = 0.0;
  double off_ = 0.0;
  double any_label_ = 0.0;
  Tally frontier_;  // of open_
  Tally dropped_;   // of what is not followed
};

}  // namespace labelprobe::readout
