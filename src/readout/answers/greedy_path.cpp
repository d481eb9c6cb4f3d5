#include "readout/answers/greedy_path.h"

#include <algorithm>

#include "labelprobe/core/error.h"
#include "labelprobe/python/text.h"

namespace labelprobe::readout {

namespace {

// A label that is finished at byte `end` of a text, or some bytes later, and where it begins.
std::size_t begin_of(const AnswerLabel& label, const std::string& text, std::size_t end) {
  std::size_t begin = 0;
  std::size_t latest_end = 0;
  for (const std::string& spelling : label.spellings) {
    if (spelling.size() > end) continue;
    const std::size_t at = text.rfind(spelling, end - spelling.size());
    if (at == std::string::npos) continue;
    if (at + spelling.size() > latest_end || (at + spelling.size() == latest_end && at < begin)) {
      begin = at;
      latest_end = at + spelling.size();
    }
  }
  LABELPROBE_CHECK(latest_end > 0);
  return begin;
}

struct Written {
  LabelIndex label = 0;
  std::size_t begin = 0;  // byte of the answer
};

// The text of the part in format, where each of its tokens begins, and its labels.
struct GreedyText {
  std::string text;
  std::vector<std::size_t> begins;
  std::vector<Written> labels;
};

GreedyText read_text(const AnswerTree& tree, const GreedyPath& greedy) {
  GreedyText read;
  for (std::size_t t = 0; t < greedy.n_in_format(); ++t) {
    const TokenId token = greedy.tokens()[t];
    const int state = tree.node(greedy.nodes()[t]).state;
    const TokenGroup* group = tree.find_group(state, token);
    LABELPROBE_CHECK(group != nullptr);
    read.begins.push_back(read.text.size());
    if (!tree.automaton().is_end(token)) read.text += tree.tokenizer().token_bytes(token);
    for (std::size_t i = 0; i < group->told.labels.size(); ++i) {
      const LabelIndex label = group->told.labels[i];
      const auto end = read.begins.back() + static_cast<std::size_t>(group->label_ends[i]);
      const AnswerLabel& of = tree.format().labels[static_cast<std::size_t>(label)];
      read.labels.push_back({label, begin_of(of, read.text, end)});
    }
  }
  return read;
}

}  // namespace

bool GreedyPath::has_node(int id) const {
  return std::find(nodes_.begin(), nodes_.end(), id) != nodes_.end();
}

// Whether the answer ends with a token that has led to a state.
bool GreedyPath::ends_with(const AnswerTree& tree, TokenId token, int state) {
  if (ByteAutomaton::is_closed(state) || tree.automaton().is_end(token)) return true;
  if (state != ByteAutomaton::kDead) return false;
  if (!reads_text_) return true;
  strayed_ += tree.tokenizer().token_bytes(token);
  const std::string_view said = python::strip(strayed_);
  const std::size_t begin = said.empty() ? strayed_.size() : strayed_.find(said);
  const std::vector<std::string>& closers = tree.format().closers;
  return std::any_of(closers.begin(), closers.end(), [&](const std::string& closer) {
    return strayed_.find(closer, begin) != std::string::npos;
  });
}

bool GreedyPath::advance(AnswerTree& tree) {
  while (!is_done_) {
    const Access access = tree.need(next_, /*is_greedy=*/true);
    if (access == Access::Asked) return false;
    if (access == Access::Refused) {
      is_done_ = true;
      break;
    }
    const TokenId token = tree.node(next_).greedy_token;
    const double prob = tree.node(next_).greedy_prob;
    nodes_.push_back(next_);
    tokens_.push_back(token);
    next_ = tree.child(next_, token, prob);
    const int state = tree.node(next_).state;
    if (state != ByteAutomaton::kDead) n_in_format_ = tokens_.size();
    is_done_ = ends_with(tree, token, state);
  }
  return true;
}

std::vector<Slot> find_slots(const AnswerTree& tree, const GreedyPath& greedy) {
  const GreedyText read = read_text(tree, greedy);
  std::vector<Slot> slots;
  Labels before_labels;
  for (const Written& written : read.labels) {
    const auto after = std::upper_bound(read.begins.begin(), read.begins.end(), written.begin);
    Slot slot;
    slot.node = greedy.nodes()[static_cast<std::size_t>(after - read.begins.begin()) - 1];
    slot.number = static_cast<int>(slots.size()) + 1;
    slot.before = read.text.substr(0, written.begin);
    slot.before_labels = before_labels;
    slot.written = written.label;
    before_labels.push_back(written.label);
    slots.push_back(std::move(slot));
  }
  if (!slots.empty()) return slots;
  Slot first;
  for (std::size_t t = 0; t < greedy.nodes().size() && t <= greedy.n_in_format(); ++t) {
    const AnswerTree::Node& node = tree.node(greedy.nodes()[t]);
    if (node.state == ByteAutomaton::kDead || !tree.automaton().outlook(node.state).is_any) break;
    first.node = greedy.nodes()[t];
    first.before = t < read.begins.size() ? read.text.substr(0, read.begins[t]) : read.text;
  }
  return {first};
}

TokenIds tokens_at(const AnswerTree& tree, const Slot& slot, const std::string& spelling) {
  const std::string text = tree.text(slot.node);
  const std::string wanted = slot.before.substr(text.size()) + spelling;
  TokenIds ids = tree.canonical().tokens_of(text, wanted);
  std::string bytes;
  for (const TokenId id : ids) bytes += tree.tokenizer().token_bytes(id);
  return bytes == wanted ? ids : CanonicalText(tree.tokenizer(), {}).tokens_of("\n", wanted);
}

}  // namespace labelprobe::readout
