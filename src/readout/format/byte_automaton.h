// An answer format as a deterministic automaton over bytes, made as far as it is walked: subset
// construction over the places of the format, with labels told as soon as all readings agree on
// them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "labelprobe/core/label_set.h"
#include "labelprobe/readout/answer_format.h"

namespace labelprobe::readout {

// Whether an answer ends, and how.
enum class Close : std::uint8_t { No, Empty, Listed };

// What a byte, or a token, tells of an answer.
struct Told {
  std::vector<LabelIndex> labels;  // finished, in the order written
  Close close = Close::No;

  bool is_nothing() const { return labels.empty() && close == Close::No; }
  friend bool operator<(const Told& a, const Told& b) {
    return std::tie(a.labels, a.close) < std::tie(b.labels, b.close);
  }
};

// What can still be listed behind a state.
struct Outlook {
  bool is_any = false;             // every label may be the next one
  std::vector<LabelIndex> labels;  // else those that may, ascending
  bool must_list = false;          // the answer cannot end before another label
  bool starts_label = false;       // a label may begin with the next byte

  bool is_nothing() const { return !is_any && labels.empty(); }
};

class ByteAutomaton {
 public:
  static constexpr int kDead = -1;
  static constexpr int kStart = 0;
  // Behind a closer: all bytes are taken, and mean nothing.
  static constexpr int kClosed = 1;
  // Behind an empty answer: what a token has behind it is a closer or begins with whitespace.
  static constexpr int kClosedEmpty = 2;

  static bool is_closed(int state) { return state == kClosed || state == kClosedEmpty; }

  // `format` has passed check().
  explicit ByteAutomaton(const AnswerFormat& format);

  struct Step {
    int state = kDead;
    int told = 0;  // of told(); 0: nothing
  };
  Step step(int state, unsigned char byte);
  const Told& told(int id) const { return told_[static_cast<std::size_t>(id)]; }

  // What end of text tells in a state; Close::No where it does not close.
  Told at_end(int state) const;

  Outlook outlook(int state) const;

 private:
  enum class Kind : std::uint8_t {
    Opener,
    Label,
    Separator,
    Closer,
    Empty,
    EmptyDone,
    EmptyCloser
  };
  // A reading of the bytes so far.
  struct Thread {
    Kind kind;
    int index = 0;                    // of openers, separators, closers, empties; node of a label
    int offset = 0;                   // bytes of that text that are there
    std::vector<LabelIndex> pending;  // finished, but not by all readings

    friend bool operator<(const Thread& a, const Thread& b) {
      return std::tie(a.kind, a.index, a.offset, a.pending) <
             std::tie(b.kind, b.index, b.offset, b.pending);
    }
  };
  using Threads = std::vector<Thread>;

  // The labels' spellings; node 0 is before the first byte.
  struct Node {
    std::map<unsigned char, int> children;
    LabelIndex label = -1;           // that ends here
    std::vector<LabelIndex> labels;  // that end here or below, ascending
  };

  struct Next {
    Threads threads;
    std::vector<LabelIndex> eager;  // finished by this byte
    bool is_closed = false;
    std::vector<LabelIndex> pending_at_close;
    bool is_closed_empty = false;
  };

  void add_label(LabelIndex label, const std::string& spelling);
  void enter_label(int node, std::vector<LabelIndex> pending, Next& next) const;
  void begin_text(Kind kind,
                  const std::vector<std::string>& texts,
                  unsigned char byte,
                  const std::vector<LabelIndex>& pending,
                  Next& next) const;
  void advance(const Thread& thread, unsigned char byte, Next& next) const;
  void move_text(Thread thread, const std::string& text, unsigned char byte, Next& next) const;
  void finish_text(Kind kind, std::vector<LabelIndex> pending, Next& next) const;
  Step take(Next next);
  bool prefers(const std::vector<LabelIndex>& a, const std::vector<LabelIndex>& b) const;
  void drop_double_readings(Threads& threads) const;
  bool closes_empty_with(unsigned char byte) const;
  int state_of(Threads threads);
  int told_of(Told told);

  AnswerFormat format_;
  std::vector<Node> nodes_;
  std::vector<Threads> threads_;              // by state
  std::map<Threads, int> states_;             // by threads
  std::vector<std::array<Step, 256>> steps_;  // by state, where known
  std::vector<std::array<bool, 256>> is_known_;
  std::vector<Told> told_;
  std::map<Told, int> told_ids_;
};

}  // namespace labelprobe::readout
