// The answers of one prompt as far as anybody has asked for them: a node per place of the model,
// with the probabilities of what may follow. All readouts of the prompt share it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/model/explorer.h"
#include "labelprobe/readout/readouts.h"
#include "labelprobe/tokenizer/tokenizer.h"

#include "readout/answers/seen_sets.h"
#include "readout/format/canonical.h"
#include "readout/format/prompt_end.h"
#include "readout/format/token_automaton.h"

namespace labelprobe::readout {

// What a tree keeps of its places, and how large it may become.
struct TreeRules {
  Tokenisation tokenisation = Tokenisation::Any;
  int max_depth = 0;   // of a node with a place
  int max_places = 0;  // beside the prompt's own
  int n_reserved = 0;  // of them for the greedy answer
  double top_p = 0.0;  // the most probable tokens up to this sum are kept; 0: they are not
  TokenIds watched;    // tokens whose probabilities are kept at every place
};

struct TokenProb {
  TokenId token = 0;
  double prob = 0.0;
};

// Tokens the format allows behind a node.
struct Move {
  static constexpr TokenId kRest = -1;  // all of the group that have no move of their own

  double prob = 0.0;
  TokenId token = kRest;
  int group = 0;  // of TokenAutomaton::groups(node.state)
  // It finishes a label, and then no answer of the format can follow: Node::off has its
  // probability.
  bool is_dead_end = false;
};

enum class Access {
  There,    // the node's place has been reached
  Asked,    // it will be
  Refused,  // it will not: too deep, or too many
};

enum class Prospect {
  None,  // no label any more
  Few,   // one more, of Outlook::labels
  All,
};

class AnswerTree {
 public:
  static constexpr int kRoot = 0;

  struct Node {
    int parent = -1;
    TokenId token = -1;
    int depth = 0;                     // tokens of the answer so far, the prompt's end left out
    int state = ByteAutomaton::kDead;  // kDead: the answer has left the format
    int set = SeenSets::kEmpty;        // labels listed so far
    int n_listed = 0;                  // likewise, with repeats
    double logp = 0.0;                 // natural log, of the answer so far
    double end_logp = 0.0;             // of the prompt's end in it, where that is open
    int place = -1;                    // of the model, once it is asked for
    bool is_wanted = false;
    bool is_reached = false;
    int expected = -1;  // the child that expect() made, whose logp follows when this is reached

    // Once it is reached.
    TokenId greedy_token = -1;  // the most probable of all, ties by smaller id
    double greedy_prob = 0.0;
    double off = 0.0;             // probability of all tokens that leave the format
    double astray = 0.0;          // of those that do not write the prompt's end, where it is open
    double small = 0.0;           // of allowed ones that are too improbable to be kept
    std::vector<Move> moves;      // most probable first, ties by token
    std::vector<TokenProb> top;   // TreeRules::top_p, most probable first, ties by token
    std::vector<double> watched;  // [rules.watched.size()]
  };

  // Behind a prompt. References all but the rules.
  AnswerTree(TokenAutomaton& automaton,
             const tokenizer::Tokenizer& tokenizer,
             std::span<const TokenId> prompt_ids,
             TreeRules rules);
  // Behind a prompt without its end, which is to be written before the answer.
  AnswerTree(TokenAutomaton& automaton,
             const tokenizer::Tokenizer& tokenizer,
             std::span<const TokenId> prompt_ids,
             TreeRules rules,
             const PromptEnd& end);

  const Node& node(int id) const { return nodes_[static_cast<std::size_t>(id)]; }
  const TokenGroup& group(int node_id, const Move& move) const;
  // The group of a token that a state allows; nullptr where it does not.
  const TokenGroup* find_group(int state, TokenId token) const;
  const AnswerFormat& format() const { return automaton_.format(); }
  const TreeRules& rules() const { return rules_; }
  TokenAutomaton& automaton() const { return automaton_; }
  const tokenizer::Tokenizer& tokenizer() const { return tokenizer_; }
  const CanonicalText& canonical() const { return canonical_; }
  SeenSets& sets() { return sets_; }
  const SeenSets& sets() const { return sets_; }

  // The node behind a token of a reached node; made when it is first asked for. Its state is
  // kClosed where the token ends the answer, kDead where it leaves the format.
  //   prob  of the token there
  int child(int parent, TokenId token, double prob);
  TokenIds path(int id) const;                            // its tokens, from the prompt on
  std::string text(int id) const;                         // their bytes
  const std::string& prompt_end() const { return end_; }  // that is open

  // Which labels may still be listed behind a state, as far as the format can tell.
  Prospect prospect(int state, int set, int n_listed) const;

  // Wants the node's place to be reached. `is_greedy`: the reserved places are for it.
  Access need(int id, bool is_greedy = false);

  // What greedy decoding is known to give, behind what is open of the prompt's end: before the
  // first ask(), which then asks for all of these places together. A guess that proves wrong costs
  // its places and changes nothing else.
  //   reads_text  whether places behind a token that leaves the format will be needed
  void expect(std::span<const TokenId> greedy, bool reads_text);

  // Asks for all wanted places, parents first.
  void ask(model::Frontier& next);
  bool has_asked(int place) const;
  void reach(const model::Place& place);

 private:
  bool allows(const Node& node, const TokenGroup& group) const;
  bool is_dead_end(const Node& node, const TokenGroup& group) const;
  bool is_canonical(int parent, TokenId token, const TokenGroup& group) const;
  void read_moves(Node& node, std::span<const float> logits, double log_sum_exp);
  void drop_strays(Node& node, int id) const;
  void read_top(Node& node, std::span<const float> logits, double log_sum_exp);
  void want(int id);

  TokenAutomaton& automaton_;
  const tokenizer::Tokenizer& tokenizer_;
  CanonicalText canonical_;
  TreeRules rules_;
  std::string end_;
  int root_parent_ = 0;  // place, and token behind it: where the prompt's end is open
  TokenId root_token_ = -1;
  SeenSets sets_;
  std::vector<Node> nodes_;
  std::unordered_map<std::uint64_t, int> children_;  // by parent and token
  std::vector<int> nodes_by_place_;
  std::vector<int> wanted_;
  int n_asked_ = 0;         // wanted ones included
  int n_greedy_asked_ = 0;  // of them
};

}  // namespace labelprobe::readout
