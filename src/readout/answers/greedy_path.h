// The answer that greedy decoding gives, and where its labels begin.
#pragma once

#include <string>
#include <vector>

#include "readout/answers/answer_tree.h"

namespace labelprobe::readout {

class GreedyPath {
 public:
  // `reads_text`: goes on when the answer has left the format, up to an end-of-text token, a closer
  // behind some text, or max_depth; otherwise it ends where it leaves the format.
  explicit GreedyPath(bool reads_text) : reads_text_(reads_text) {}

  // Goes on as far as the tree goes. Returns true once it has ended.
  bool advance(AnswerTree& tree);

  bool is_done() const { return is_done_; }
  const TokenIds& tokens() const { return tokens_; }
  // [tokens().size()]: the node that tokens()[t] was chosen at.
  const std::vector<int>& nodes() const { return nodes_; }
  bool has_node(int id) const;

  // Tokens up to which the answer is of the format.
  std::size_t n_in_format() const { return n_in_format_; }

 private:
  bool ends_with(const AnswerTree& tree, TokenId token, int state);

  bool reads_text_;
  bool is_done_ = false;
  int next_ = AnswerTree::kRoot;
  TokenIds tokens_;
  std::vector<int> nodes_;
  std::size_t n_in_format_ = 0;
  std::string strayed_;  // text since it left the format
};

// Where one label of an answer begins.
struct Slot {
  int node = AnswerTree::kRoot;  // behind which the token follows that has the label's first byte
  int number = 1;                // from 1 on: it is the answer's n-th label
  std::string before;            // text of the answer before the label
  Labels before_labels;          // [number - 1], in the order written
  LabelIndex written = -1;       // by the greedy answer; -1: none
};

// The slots of the labels that the greedy answer finishes in format. Where it finishes none: the
// last place from which every label may still be written, as a slot without a written label.
std::vector<Slot> find_slots(const AnswerTree& tree, const GreedyPath& greedy);

// The tokens that spell a label at a slot, from the slot's node on; the first one may hold the end
// of what stands before the label. Where the tokenizer would not have ended the tokens before it
// there, those behind a line break.
TokenIds tokens_at(const AnswerTree& tree, const Slot& slot, const std::string& spelling);

}  // namespace labelprobe::readout
