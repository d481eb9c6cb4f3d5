#include "readout/format/token_automaton.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace labelprobe::readout {

namespace {

constexpr int kFirstBefore = ByteAutomaton::kDead - 1;

// Walks the vocabulary along the automaton, from one state on.
class Walk {
 public:
  Walk(ByteAutomaton& bytes, const VocabTrie& vocab) : bytes_(bytes), vocab_(vocab) {}

  // The tokens below a node of the vocabulary, read from its depth on.
  void run(int state, int node = VocabTrie::kRoot, int depth = 0) {
    Reached start;
    start.state = state;
    visit(node, start, depth);
  }

  std::vector<TokenGroup> take() {
    std::vector<TokenGroup> groups;
    for (auto& [reached, tokens] : tokens_) {
      std::sort(tokens.begin(), tokens.end());
      groups.push_back({reached.state, reached.told, reached.label_ends, std::move(tokens)});
    }
    std::sort(groups.begin(), groups.end(), [](const TokenGroup& a, const TokenGroup& b) {
      return a.tokens.front() < b.tokens.front();
    });
    return groups;
  }

  void add(int state, Told told, TokenIds tokens) {
    Reached reached;
    reached.state = state;
    reached.label_ends.assign(told.labels.size(), 0);
    reached.told = std::move(told);
    TokenIds& all = tokens_[reached];
    all.insert(all.end(), tokens.begin(), tokens.end());
  }

 private:
  struct Reached {
    int state = 0;
    Told told;
    std::vector<int> label_ends;
    friend bool operator<(const Reached& a, const Reached& b) {
      return std::tie(a.state, a.told, a.label_ends) < std::tie(b.state, b.told, b.label_ends);
    }
  };

  void visit(int node, const Reached& reached, int n_bytes) {
    const VocabTrie::Node& here = vocab_.node(node);
    const bool takes_all = reached.state == ByteAutomaton::kClosed;
    add_range(reached, here.begin, takes_all ? here.end : here.begin + here.n_here);
    if (takes_all) return;
    for (int child = here.first_child; child != VocabTrie::kNone;
         child = vocab_.node(child).next_sibling) {
      const ByteAutomaton::Step step = bytes_.step(reached.state, vocab_.node(child).byte);
      if (step.state == ByteAutomaton::kDead) continue;
      Reached next = reached;
      next.state = step.state;
      if (step.told != 0) {
        const Told& told = bytes_.told(step.told);
        for (const LabelIndex label : told.labels) {
          next.told.labels.push_back(label);
          next.label_ends.push_back(n_bytes + 1);
        }
        next.told.close = told.close;
      }
      visit(child, next, n_bytes + 1);
    }
  }

  void add_range(const Reached& reached, std::int32_t begin, std::int32_t end) {
    if (begin == end) return;
    TokenIds& tokens = tokens_[normal(reached)];
    tokens.insert(tokens.end(), vocab_.tokens().begin() + begin, vocab_.tokens().begin() + end);
  }

  static Reached normal(Reached reached) {
    if (ByteAutomaton::is_closed(reached.state)) reached.state = ByteAutomaton::kClosed;
    return reached;
  }

  ByteAutomaton& bytes_;
  const VocabTrie& vocab_;
  std::map<Reached, TokenIds> tokens_;
};

}  // namespace

TokenAutomaton::TokenAutomaton(const AnswerFormat& format,
                               const tokenizer::Tokenizer& tokenizer,
                               TokenIds end_ids)
    : format_(format), end_ids_(std::move(end_ids)), bytes_(format_), vocab_(tokenizer, end_ids_) {}

bool TokenAutomaton::is_end(TokenId token) const {
  return std::find(end_ids_.begin(), end_ids_.end(), token) != end_ids_.end();
}

TokenAutomaton::State& TokenAutomaton::state(int id) {
  const bool is_before = is_before_answer(id);
  std::vector<std::unique_ptr<State>>& all = is_before ? before_ : states_;
  const auto at = static_cast<std::size_t>(is_before ? kFirstBefore - id : id);
  if (all.size() <= at) all.resize(at + 1);
  if (!all[at]) {
    auto made = std::make_unique<State>();
    fill(id, *made);
    if (all.size() <= at) all.resize(at + 1);
    all[at] = std::move(made);
  }
  return *all[at];
}

void TokenAutomaton::fill(int id, State& made) {
  if (is_before_answer(id)) {
    const std::string tail = tails_[static_cast<std::size_t>(kFirstBefore - id)];
    fill_before(tail, made);
    return;
  }
  made.outlook = bytes_.outlook(id);
  Walk walk(bytes_, vocab_);
  walk.run(id);
  if (const Told told = bytes_.at_end(id); told.close != Close::No && !end_ids_.empty()) {
    walk.add(ByteAutomaton::kClosed, told, end_ids_);
  }
  made.groups = walk.take();
}

void TokenAutomaton::fill_before(std::string_view tail, State& made) {
  made.outlook = bytes_.outlook(ByteAutomaton::kStart);
  Walk walk(bytes_, vocab_);
  int node = VocabTrie::kRoot;
  for (std::size_t n_bytes = 1; n_bytes <= tail.size(); ++n_bytes) {
    node = vocab_.child(node, static_cast<unsigned char>(tail[n_bytes - 1]));
    if (node == VocabTrie::kNone) break;
    const VocabTrie::Node& here = vocab_.node(node);
    const bool is_whole = n_bytes == tail.size();
    const auto begin = vocab_.tokens().begin() + here.begin;
    const TokenIds tokens(begin,
                          is_whole ? vocab_.tokens().begin() + here.end : begin + here.n_here);
    made.agreeing.insert(made.agreeing.end(), tokens.begin(), tokens.end());
    if (is_whole) {
      walk.run(ByteAutomaton::kStart, node, static_cast<int>(n_bytes));
    } else if (!tokens.empty()) {
      walk.add(state_before(tail.substr(n_bytes)), {}, tokens);
    }
  }
  std::sort(made.agreeing.begin(), made.agreeing.end());
  made.groups = walk.take();
}

int TokenAutomaton::state_before(std::string_view tail) {
  if (tail.empty()) return ByteAutomaton::kStart;
  const auto [found, is_new] =
      states_before_.emplace(std::string(tail), kFirstBefore - static_cast<int>(tails_.size()));
  if (is_new) tails_.emplace_back(tail);
  return found->second;
}

const TokenIds& TokenAutomaton::agreeing(int state_id) {
  return state(state_id).agreeing;
}

const std::vector<TokenGroup>& TokenAutomaton::groups(int state_id) {
  return state(state_id).groups;
}

const Outlook& TokenAutomaton::outlook(int state_id) {
  return state(state_id).outlook;
}

}  // namespace labelprobe::readout
