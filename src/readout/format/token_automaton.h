// The answer format over a model's tokens: which may follow a state, what each tells and where it
// leads. Every token counts by its bytes, so that those which end a label, pass the separator and
// begin the next label need no case of their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "labelprobe/core/token.h"
#include "labelprobe/readout/answer_format.h"
#include "labelprobe/tokenizer/tokenizer.h"

#include "readout/format/byte_automaton.h"
#include "readout/format/vocab_trie.h"

namespace labelprobe::readout {

// Tokens that do the same.
struct TokenGroup {
  int state = ByteAutomaton::kDead;  // they lead to, of ByteAutomaton
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

  const AnswerFormat& format() const { return format_; }
  bool is_end(TokenId token) const;

 private:
  struct State {
    std::vector<TokenGroup> groups;
    Outlook outlook;
  };
  State& state(int id);
  void fill(int id, std::vector<TokenGroup>& groups);

  AnswerFormat format_;
  TokenIds end_ids_;
  ByteAutomaton bytes_;
  VocabTrie vocab_;
  std::vector<std::unique_ptr<State>> states_;
};

}  // namespace labelprobe::readout
