#include "readout/format/byte_automaton.h"

#include <algorithm>
#include <cctype>

#include "labelprobe/core/error.h"

namespace labelprobe::readout {

namespace {

void insert_sorted(std::vector<LabelIndex>& labels, LabelIndex label) {
  const auto at = std::lower_bound(labels.begin(), labels.end(), label);
  if (at == labels.end() || *at != label) labels.insert(at, label);
}

std::size_t n_common(const std::vector<LabelIndex>& a, const std::vector<LabelIndex>& b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                  a.begin());
}

}  // namespace

ByteAutomaton::ByteAutomaton(const AnswerFormat& format) : format_(format), nodes_(1) {
  for (std::size_t l = 0; l < format_.labels.size(); ++l) {
    for (const std::string& spelling : format_.labels[l].spellings) {
      add_label(static_cast<LabelIndex>(l), spelling);
    }
  }
  told_of({});
  Next start;
  for (std::size_t i = 0; i < format_.openers.size(); ++i) {
    if (format_.openers[i].empty()) {
      enter_label(0, {}, start);
    } else {
      start.threads.push_back({Kind::Opener, static_cast<int>(i), 0, {}});
    }
  }
  for (std::size_t i = 0; i < format_.empties.size(); ++i) {
    start.threads.push_back({Kind::Empty, static_cast<int>(i), 0, {}});
  }
  std::sort(start.threads.begin(), start.threads.end());
  state_of(std::move(start.threads));
  // Two states without readings, which no other state is equal to.
  threads_.resize(3);
  steps_.resize(3);
  is_known_.resize(3);
}

void ByteAutomaton::add_label(LabelIndex label, const std::string& spelling) {
  int node = 0;
  for (const char c : spelling) {
    insert_sorted(nodes_[static_cast<std::size_t>(node)].labels, label);
    const auto [child, is_new] = nodes_[static_cast<std::size_t>(node)].children.emplace(
        static_cast<unsigned char>(c), static_cast<int>(nodes_.size()));
    node = child->second;
    if (is_new) nodes_.emplace_back();
  }
  insert_sorted(nodes_[static_cast<std::size_t>(node)].labels, label);
  nodes_[static_cast<std::size_t>(node)].label = label;
}

// --- One byte further ---

void ByteAutomaton::enter_label(int node, std::vector<LabelIndex> pending, Next& next) const {
  const LabelIndex label = nodes_[static_cast<std::size_t>(node)].label;
  if (label >= 0 && format_.completion == Completion::Eager) insert_sorted(next.eager, label);
  next.threads.push_back({Kind::Label, node, 0, std::move(pending)});
}

// What stands behind the last byte of a text of this kind.
void ByteAutomaton::finish_text(Kind kind, std::vector<LabelIndex> pending, Next& next) const {
  switch (kind) {
    case Kind::Opener:
    case Kind::Separator:
      enter_label(0, std::move(pending), next);
      break;
    case Kind::Closer:
      if (!next.is_closed || prefers(pending, next.pending_at_close)) {
        next.pending_at_close = std::move(pending);
      }
      next.is_closed = true;
      break;
    case Kind::Empty:
      next.threads.push_back({Kind::EmptyDone, 0, 0, {}});
      break;
    case Kind::EmptyCloser:
      next.is_closed_empty = true;
      break;
    case Kind::Label:
    case Kind::EmptyDone:
      LABELPROBE_CHECK(false);
  }
}

void ByteAutomaton::move_text(Thread thread,
                              const std::string& text,
                              unsigned char byte,
                              Next& next) const {
  if (static_cast<unsigned char>(text[static_cast<std::size_t>(thread.offset)]) != byte) return;
  ++thread.offset;
  if (thread.offset == static_cast<int>(text.size())) {
    finish_text(thread.kind, std::move(thread.pending), next);
  } else {
    next.threads.push_back(std::move(thread));
  }
}

void ByteAutomaton::begin_text(Kind kind,
                               const std::vector<std::string>& texts,
                               unsigned char byte,
                               const std::vector<LabelIndex>& pending,
                               Next& next) const {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    move_text({kind, static_cast<int>(i), 0, pending}, texts[i], byte, next);
  }
}

void ByteAutomaton::advance(const Thread& thread, unsigned char byte, Next& next) const {
  const auto index = static_cast<std::size_t>(thread.index);
  switch (thread.kind) {
    case Kind::Opener:
      return move_text(thread, format_.openers[index], byte, next);
    case Kind::Separator:
      return move_text(thread, format_.separators[index], byte, next);
    case Kind::Closer:
    case Kind::EmptyCloser:
      return move_text(thread, format_.closers[index], byte, next);
    case Kind::Empty:
      return move_text(thread, format_.empties[index], byte, next);
    case Kind::EmptyDone:
      return begin_text(Kind::EmptyCloser, format_.closers, byte, {}, next);
    case Kind::Label:
      break;
  }
  const Node& node = nodes_[index];
  if (const auto child = node.children.find(byte); child != node.children.end()) {
    enter_label(child->second, thread.pending, next);
  }
  if (node.label < 0) return;
  std::vector<LabelIndex> pending = thread.pending;
  if (format_.completion == Completion::Lookahead) pending.push_back(node.label);
  begin_text(Kind::Separator, format_.separators, byte, pending, next);
  begin_text(Kind::Closer, format_.closers, byte, pending, next);
}

// Where two readings go on alike, the one with fewer and so longer labels counts; else the order of
// their names decides, so that the order of the label set does not.
bool ByteAutomaton::prefers(const std::vector<LabelIndex>& a,
                            const std::vector<LabelIndex>& b) const {
  if (a.size() != b.size()) return a.size() < b.size();
  const auto name = [&](LabelIndex label) -> const std::string& {
    return format_.labels[static_cast<std::size_t>(label)].name;
  };
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [&](LabelIndex x, LabelIndex y) { return name(x) < name(y); });
}

void ByteAutomaton::drop_double_readings(Threads& threads) const {
  const auto place = [](const Thread& thread) {
    return std::tuple(thread.kind, thread.index, thread.offset);
  };
  std::sort(threads.begin(), threads.end(), [&](const Thread& a, const Thread& b) {
    return place(a) != place(b) ? place(a) < place(b) : prefers(a.pending, b.pending);
  });
  const auto end =
      std::unique(threads.begin(), threads.end(),
                  [&](const Thread& a, const Thread& b) { return place(a) == place(b); });
  threads.erase(end, threads.end());
}

ByteAutomaton::Step ByteAutomaton::take(Next next) {
  if (next.is_closed) {
    Told told{std::move(next.eager), Close::Listed};
    told.labels.insert(told.labels.end(), next.pending_at_close.begin(),
                       next.pending_at_close.end());
    return {kClosed, told_of(std::move(told))};
  }
  if (next.is_closed_empty) return {kClosed, told_of({{}, Close::Empty})};
  if (next.threads.empty()) return {};
  drop_double_readings(next.threads);
  const auto is_done = [](const Thread& thread) { return thread.kind == Kind::EmptyDone; };
  if (std::all_of(next.threads.begin(), next.threads.end(), is_done)) {
    return {kClosedEmpty, told_of({{}, Close::Empty})};
  }
  // Labels that all readings have finished are told.
  std::size_t n_agreed = next.threads.front().pending.size();
  for (const Thread& thread : next.threads) {
    n_agreed = std::min(n_agreed, n_common(next.threads.front().pending, thread.pending));
  }
  const auto n = static_cast<std::ptrdiff_t>(n_agreed);
  Told told{std::move(next.eager), Close::No};
  const std::vector<LabelIndex>& first = next.threads.front().pending;
  told.labels.insert(told.labels.end(), first.begin(), first.begin() + n);
  for (Thread& thread : next.threads) {
    thread.pending.erase(thread.pending.begin(), thread.pending.begin() + n);
  }
  const int id = told_of(std::move(told));
  return {state_of(std::move(next.threads)), id};
}

bool ByteAutomaton::closes_empty_with(unsigned char byte) const {
  if (std::isspace(byte) != 0) return true;
  return std::any_of(
      format_.closers.begin(), format_.closers.end(),
      [&](const std::string& closer) { return static_cast<unsigned char>(closer[0]) == byte; });
}

ByteAutomaton::Step ByteAutomaton::step(int state, unsigned char byte) {
  if (state == kDead) return {};
  if (state == kClosed) return {kClosed, 0};
  if (state == kClosedEmpty) return {closes_empty_with(byte) ? kClosed : kDead, 0};
  const auto at = static_cast<std::size_t>(state);
  if (!is_known_[at][byte]) {
    Next next;
    for (const Thread& thread : threads_[at]) advance(thread, byte, next);
    const Step made = take(std::move(next));
    steps_[at][byte] = made;
    is_known_[at][byte] = true;
  }
  return steps_[at][byte];
}

int ByteAutomaton::state_of(Threads threads) {
  const auto [found, is_new] = states_.emplace(threads, static_cast<int>(threads_.size()));
  if (is_new) {
    threads_.push_back(std::move(threads));
    steps_.emplace_back();
    is_known_.emplace_back();
  }
  return found->second;
}

int ByteAutomaton::told_of(Told told) {
  const auto [found, is_new] = told_ids_.emplace(told, static_cast<int>(told_.size()));
  if (is_new) told_.push_back(std::move(told));
  return found->second;
}

// --- What a state means ---

Told ByteAutomaton::at_end(int state) const {
  if (!format_.closes_at_end_of_text || state == kDead || is_closed(state)) return {};
  const Thread* best = nullptr;
  std::vector<LabelIndex> best_labels;
  bool closes_empty = false;
  for (const Thread& thread : threads_[static_cast<std::size_t>(state)]) {
    closes_empty = closes_empty || thread.kind == Kind::EmptyDone;
    if (thread.kind != Kind::Label) continue;
    const LabelIndex label = nodes_[static_cast<std::size_t>(thread.index)].label;
    if (label < 0) continue;
    std::vector<LabelIndex> labels = thread.pending;
    if (format_.completion == Completion::Lookahead) labels.push_back(label);
    if (best == nullptr || prefers(labels, best_labels)) {
      best = &thread;
      best_labels = std::move(labels);
    }
  }
  if (best != nullptr) return {std::move(best_labels), Close::Listed};
  return {{}, closes_empty ? Close::Empty : Close::No};
}

Outlook ByteAutomaton::outlook(int state) const {
  Outlook outlook;
  if (state == kDead || is_closed(state)) return outlook;
  outlook.must_list = true;
  const bool is_eager = format_.completion == Completion::Eager;
  for (const Thread& thread : threads_[static_cast<std::size_t>(state)]) {
    const bool is_label = thread.kind == Kind::Label;
    const Node& node = nodes_[is_label ? static_cast<std::size_t>(thread.index) : 0];
    outlook.starts_label = outlook.starts_label || (is_label && thread.index == 0);
    if (!thread.pending.empty()) {
      insert_sorted(outlook.labels, thread.pending.front());
    } else if (thread.kind == Kind::Opener || thread.kind == Kind::Separator ||
               (is_label && thread.index == 0)) {
      outlook.is_any = true;
    } else if (is_label) {
      const bool is_written = is_eager && node.label >= 0;
      for (const LabelIndex label : node.labels) {
        if (!is_written || label != node.label) insert_sorted(outlook.labels, label);
      }
      if (is_written) {
        outlook.must_list = false;
        outlook.is_any = outlook.is_any || !format_.separators.empty();
      }
    } else {
      outlook.must_list = false;
    }
  }
  if (outlook.is_any) outlook.labels.clear();
  return outlook;
}

}  // namespace labelprobe::readout
