// One readout at work on one prompt.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "labelprobe/readout/readouts.h"

#include "readout/answers/answer_tree.h"
#include "readout/answers/greedy_path.h"

namespace labelprobe::readout {

// What an inquiry gets at its prompt's tree through, and what it has used of it.
class Asker {
 public:
  Asker(AnswerTree& tree, const GreedyPath& greedy) : tree_(tree), greedy_(greedy) {}

  AnswerTree& tree() { return tree_; }
  const GreedyPath& greedy() const { return greedy_; }

  // As AnswerTree::need().
  Access need(int node);

  std::int64_t n_nodes() const { return n_nodes_; }  // granted
  // How many of them are places that the greedy answer has not had computed anyway.
  std::int64_t n_extra() const;

 private:
  AnswerTree& tree_;
  const GreedyPath& greedy_;
  std::vector<bool> is_used_;  // by node
  std::int64_t n_nodes_ = 0;
};

// What an inquiry is made of. All of it outlives the inquiry.
struct InquiryInput {
  const ReadoutOptions& options;
  Asker& asker;
  std::int64_t seed = 0;  // of this prompt
};

class Inquiry {
 public:
  virtual ~Inquiry() = default;

  // Goes on as far as the tree goes, and asks for what it needs next. Returns true once done.
  // Called again after all that was asked for has been reached.
  virtual bool advance() = 0;

  // Once done: everything but name, n_extra_tokens and n_nodes.
  virtual void fill(record::ReadoutValues& values) const = 0;
};

// The probability of a token behind a reached node; 0 where the format forbids it, or it is too
// improbable to be kept.
double prob_of(const AnswerTree::Node& node, TokenId token);

// The numbers with the names of the format's labels.
record::LabelValues with_names(const AnswerFormat& format, const std::vector<double>& numbers);

}  // namespace labelprobe::readout
