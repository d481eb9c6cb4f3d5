#include "readout/answers/mass_ledger.h"

#include <algorithm>
#include <cmath>

#include "labelprobe/core/error.h"

namespace labelprobe::readout {

namespace {

bool comes_later(const MassLedger::Open& a, const MassLedger::Open& b) {
  return a.mass != b.mass ? a.mass < b.mass : a.number > b.number;
}

std::size_t at(LabelIndex label) {
  return static_cast<std::size_t>(label);
}

}  // namespace

MassLedger::MassLedger(AnswerTree& tree, double floor) : tree_(tree), floor_(floor) {
  const std::size_t n_labels = tree.format().labels.size();
  lower_.resize(n_labels);
  complete_.resize(n_labels);
  for (Tally* tally : {&frontier_, &dropped_}) {
    tally->seen_in_all.resize(n_labels);
    tally->few.resize(n_labels);
    tally->seen.resize(n_labels);
  }
  Open root;
  root.mass = 1.0;
  root.state = tree.node(AnswerTree::kRoot).state;
  root.node = AnswerTree::kRoot;
  push(root);
}

// --- Beginnings ---

void MassLedger::push(Open open) {
  open.number = n_found_++;
  count(frontier_, open, 1.0);
  open_.push_back(open);
  std::push_heap(open_.begin(), open_.end(), comes_later);
}

MassLedger::Open MassLedger::pop_best() {
  LABELPROBE_CHECK(!open_.empty());
  std::pop_heap(open_.begin(), open_.end(), comes_later);
  const Open best = open_.back();
  open_.pop_back();
  count(frontier_, best, -1.0);
  return best;
}

std::vector<MassLedger::Open> MassLedger::likeliest(std::size_t n, double share) const {
  std::vector<Open> sorted = open_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Open& a, const Open& b) { return comes_later(b, a); });
  while (n < sorted.size() && sorted[n].mass >= share * whole()) ++n;
  if (n < sorted.size()) sorted.resize(n);
  return sorted;
}

int MassLedger::node_of(const Open& open) {
  return open.node >= 0 ? open.node : tree_.child(open.parent, open.move.token, open.move.prob);
}

void MassLedger::count(Tally& tally, const Open& open, double sign) const {
  const double mass = sign * open.mass;
  const Labels& seen = tree_.sets().labels(open.set);
  tally.mass += mass;
  for (const LabelIndex label : seen) tally.seen[at(label)] += mass;
  switch (tree_.prospect(open.state, open.set, open.n_listed)) {
    case Prospect::None:
      break;
    case Prospect::Few:
      for (const LabelIndex label : tree_.automaton().outlook(open.state).labels) {
        if (!tree_.sets().has(open.set, label)) tally.few[at(label)] += mass;
      }
      break;
    case Prospect::All:
      tally.all += mass;
      for (const LabelIndex label : seen) tally.seen_in_all[at(label)] += mass;
      break;
  }
}

// --- One token further ---

void MassLedger::expand_best() {
  const Open best = pop_best();
  const int id = node_of(best);
  const AnswerTree::Node from = tree_.node(id);  // making children moves it
  LABELPROBE_CHECK(from.is_reached);
  ++n_expanded_;
  for (const Move& move : from.moves) {
    const double mass = best.mass * move.prob;
    if (move.is_dead_end) {
      add_new_labels(best.set, tree_.group(id, move).told, mass);
    } else if (tree_.group(id, move).told.close != Close::No) {
      settle(best, tree_.group(id, move).told, mass);
    } else {
      follow(best, id, move, mass);
    }
  }
  off_ += best.mass * from.off;
  if (from.small > 0.0) {
    Open small = best;
    small.mass *= from.small;
    count(dropped_, small, 1.0);
  }
}

void MassLedger::set_aside_best() {
  count(dropped_, pop_best(), 1.0);
}

void MassLedger::add_new_labels(int set, const Told& told, double mass) {
  if (set == SeenSets::kEmpty && !told.labels.empty()) any_label_ += mass;
  for (std::size_t i = 0; i < told.labels.size(); ++i) {
    const LabelIndex label = told.labels[i];
    const auto end = told.labels.begin() + static_cast<std::ptrdiff_t>(i);
    const bool is_repeat = std::find(told.labels.begin(), end, label) != end;
    if (!is_repeat && !tree_.sets().has(set, label)) lower_[at(label)] += mass;
  }
}

void MassLedger::settle(const Open& from, const Told& told, double mass) {
  add_new_labels(from.set, told, mass);
  const int set = tree_.sets().with(from.set, told.labels);
  done_ += mass;
  sets_[set] += mass;
  for (const LabelIndex label : tree_.sets().labels(set)) complete_[at(label)] += mass;
}

void MassLedger::follow(const Open& from, int node, const Move& move, double mass) {
  const TokenGroup& group = tree_.group(node, move);
  Open next;
  next.mass = mass;
  next.parent = node;
  next.move = move;
  next.state = group.state;
  next.set = tree_.sets().with(from.set, group.told.labels);
  next.n_listed = from.n_listed + static_cast<int>(group.told.labels.size());
  add_new_labels(from.set, group.told, mass);
  if (mass >= floor_ * whole() || TokenAutomaton::is_before_answer(next.state)) {
    push(next);
  } else {
    count(dropped_, next, 1.0);
  }
}

// --- What is known ---

double MassLedger::open_mass() const {
  return open_.empty() ? dropped_.mass : frontier_.mass + dropped_.mass;
}

// The mass of all answers that are looked at. At an open end of the prompt, beginnings that have
// not written it yet may still do so: they count.
double MassLedger::whole() const {
  const bool is_open_ended = TokenAutomaton::is_before_answer(tree_.node(AnswerTree::kRoot).state);
  return is_open_ended ? done_ + std::max(0.0, off_) + open_mass() : 1.0;
}

double MassLedger::set(int number) const {
  const auto found = sets_.find(number);
  return found == sets_.end() ? 0.0 : found->second / whole();
}

std::vector<int> MassLedger::found_sets() const {
  std::vector<int> numbers;
  for (const auto& [number, mass] : sets_) numbers.push_back(number);
  return numbers;
}

// Unexplored mass of answers that may come to list the label for the first time.
double MassLedger::may_write(LabelIndex label) const {
  const auto of = [&](const Tally& tally) {
    return tally.all - tally.seen_in_all[at(label)] + tally.few[at(label)];
  };
  return std::max(0.0, of(dropped_)) + (open_.empty() ? 0.0 : std::max(0.0, of(frontier_)));
}

Bounds MassLedger::bounds(LabelIndex label, Event event) const {
  const double more = may_write(label);
  const double all = whole();
  if (event == Event::Prefix) return {lower_[at(label)] / all, (lower_[at(label)] + more) / all};
  const double complete = complete_[at(label)];
  const double seen =
      dropped_.seen[at(label)] + (open_.empty() ? 0.0 : std::max(0.0, frontier_.seen[at(label)]));
  if (event == Event::Complete) return {complete / all, (complete + seen + more) / all};
  // At worst all that is unexplored ends well without the label, at best with it.
  const double most = done_ + open_mass();
  const double least = done_ + seen + more;
  if (least <= 0.0) return {};
  return {complete / most, (complete + seen + more) / least};
}

double MassLedger::widest(Event event) const {
  double widest = 0.0;
  for (std::size_t label = 0; label < lower_.size(); ++label) {
    const Bounds of = bounds(static_cast<LabelIndex>(label), event);
    widest = std::max(widest, of.upper - of.lower);
  }
  return widest;
}

}  // namespace labelprobe::readout
