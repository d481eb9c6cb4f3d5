// The answer format over a model's tokens: which may follow a state, what each tells and where it
// leads. Every token counts by its bytes, so that those which end a label, pass the separator and
// begin the next label need no case of their own.
// A text may be given that has to be written before the answer, the end of a prompt: its states
// are below ByteAutomaton's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/readout/answer_format.h"
#include "labelprobe/tokenizer/tokenizer.h"

#include "readout/format/byte_automaton.h"
#include "readout/format/vocab_trie.h"

namespace labelprobe::readout {

// Tokens that do the same.
struct TokenGroup {
  int state = ByteAutomaton::kDead;  // they lead to
  Told told;
  std::vector<int> label_ends;  // [told.labels.size()]: bytes of the token up to which it was told
  TokenIds tokens;              // ascending
};

class TokenAutomaton {
 public:
  // `format` has passed check(). `end_ids` are end-of-text tokens, whatever bytes they have.
  TokenAutomaton(const AnswerFormat& format,
                 const tokenizer::Tokenizer& tokenizer,
                 TokenIds end_ids);

  // The allowed tokens of a state that is not closed, computed once. In the order of each group's
  // first token. The reference stays valid.
  const std::vector<TokenGroup>& groups(int state);
  const Outlook& outlook(int state);

  // The state in which exactly `tail` is to be written before the answer; kStart where it is empty.
  int state_before(std::string_view tail);
  static bool is_before_answer(int state) { return state < ByteAutomaton::kDead; }
  // Before the answer: the tokens, ascending, that agree with what is to be written, whatever they
  // have behind it. The allowed ones are among them.
  const TokenIds& agreeing(int state);

  const AnswerFormat& format() const { return format_; }
  bool is_end(TokenId token) const;

 private:
  struct State {
    std::vector<TokenGroup> groups;
    Outlook outlook;
    TokenIds agreeing;  // before the answer
  };
  State& state(int id);
  void fill(int id, State& made);
  void fill_before(std::string_view tail, State& made);

  AnswerFormat format_;
  TokenIds end_ids_;
  ByteAutomaton bytes_;
  VocabTrie vocab_;
  std::vector<std::unique_ptr<State>> states_;
  std::vector<std::string> tails_;            // by state, from below kDead downwards
  std::map<std::string, int> states_before_;  // by tail
  std::vector<std::unique_ptr<State>> before_;
};

}  // namespace labelprobe::readout
