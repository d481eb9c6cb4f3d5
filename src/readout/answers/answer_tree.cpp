#include "readout/answers/answer_tree.h"

#include <algorithm>
#include <cmath>

#include "labelprobe/core/error.h"

namespace labelprobe::readout {

namespace {

// Answers less probable than this are counted, not kept.
constexpr double kSmallestMass = 1e-15;
// Before the answer only tokens are that, given those before them: the prompt's end may be a text
// that the model would hardly write.
constexpr double kSmallestOfEnd = 1e-12;
// Tokens that end an answer alike and are less probable than this are one move.
constexpr double kSmallestEnd = 1e-6;
// Less probable answers are not worth asking the tokenizer about.
constexpr double kSmallestChecked = 1e-9;
// Tokens as probable as this are kept behind the most improbable beginning: it may have been put
// into the model's mouth. The second is for those that the tokenizer is asked about.
constexpr double kAlwaysKept = 1e-9;
constexpr double kAlwaysChecked = 1e-5;

std::uint64_t key_of(int parent, TokenId token) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(parent)) << 32) |
         static_cast<std::uint32_t>(token);
}

bool is_more_probable(const TokenProb& a, const TokenProb& b) {
  return a.prob != b.prob ? a.prob > b.prob : a.token < b.token;
}

}  // namespace

AnswerTree::AnswerTree(TokenAutomaton& automaton,
                       const tokenizer::Tokenizer& tokenizer,
                       std::span<const TokenId> prompt_ids,
                       TreeRules rules)
    : automaton_(automaton),
      tokenizer_(tokenizer),
      canonical_(tokenizer, prompt_ids),
      rules_(std::move(rules)),
      nodes_(1),
      nodes_by_place_{kRoot} {
  nodes_[kRoot].state = ByteAutomaton::kStart;
  nodes_[kRoot].place = 0;
  nodes_[kRoot].is_wanted = true;
}

AnswerTree::AnswerTree(TokenAutomaton& automaton,
                       const tokenizer::Tokenizer& tokenizer,
                       std::span<const TokenId> prompt_ids,
                       TreeRules rules,
                       const PromptEnd& end)
    : AnswerTree(automaton, tokenizer, prompt_ids, std::move(rules)) {
  LABELPROBE_CHECK(end.n_kept >= 2 && end.n_kept < prompt_ids.size());
  end_ = end.text;
  // The last token that is kept is computed once more, as a place of its own.
  root_parent_ = static_cast<int>(end.n_kept) - 1 - static_cast<int>(prompt_ids.size());
  root_token_ = prompt_ids[end.n_kept - 1];
  nodes_by_place_.clear();
  nodes_[kRoot].state = automaton.state_before(end_);
  nodes_[kRoot].place = -1;
  nodes_[kRoot].is_wanted = false;
}

const TokenGroup& AnswerTree::group(int node_id, const Move& move) const {
  return automaton_.groups(node(node_id).state)[static_cast<std::size_t>(move.group)];
}

const TokenGroup* AnswerTree::find_group(int state, TokenId token) const {
  if (state == ByteAutomaton::kDead || ByteAutomaton::is_closed(state)) return nullptr;
  for (const TokenGroup& group : automaton_.groups(state)) {
    if (std::binary_search(group.tokens.begin(), group.tokens.end(), token)) return &group;
  }
  return nullptr;
}

// Whether the rules of repeats and numbers let a group's labels follow.
bool AnswerTree::allows(const Node& node, const TokenGroup& group) const {
  Labels told = group.told.labels;
  const int n_listed = node.n_listed + static_cast<int>(told.size());
  if (format().max_labels > 0 && n_listed > format().max_labels) return false;
  if (format().repeats == Repeats::Allow) return true;
  std::sort(told.begin(), told.end());
  return std::adjacent_find(told.begin(), told.end()) == told.end() &&
         std::none_of(told.begin(), told.end(),
                      [&](LabelIndex label) { return sets_.has(node.set, label); });
}

// Whether every way to go on from there lists a label that must not be listed.
bool AnswerTree::is_dead_end(const Node& node, const TokenGroup& group) const {
  if (group.told.close != Close::No) return false;
  const bool forbids = format().repeats == Repeats::Forbid;
  if (!forbids && format().max_labels == 0) return false;
  const Outlook& next = automaton_.outlook(group.state);
  if (!next.must_list) return false;
  const std::vector<LabelIndex>& told = group.told.labels;
  const int n_listed = node.n_listed + static_cast<int>(told.size());
  if (format().max_labels > 0 && n_listed == format().max_labels) return true;
  if (!forbids) return false;
  if (next.is_any) return n_listed == static_cast<int>(format().labels.size());
  return std::all_of(next.labels.begin(), next.labels.end(), [&](LabelIndex label) {
    return sets_.has(node.set, label) || std::find(told.begin(), told.end(), label) != told.end();
  });
}

bool AnswerTree::is_canonical(int parent, TokenId token, const TokenGroup& group) const {
  if (rules_.tokenisation == Tokenisation::Any) return true;
  TokenIds answer = path(parent);
  answer.push_back(token);
  return canonical_.has(answer, /*goes_on=*/group.told.close == Close::No);
}

int AnswerTree::child(int parent, TokenId token, double prob) {
  const auto [found, is_new] =
      children_.emplace(key_of(parent, token), static_cast<int>(nodes_.size()));
  if (!is_new) return found->second;
  const Node& from = node(parent);
  Node made;
  made.parent = parent;
  made.token = token;
  made.logp = from.logp + std::log(prob);
  made.set = from.set;
  made.n_listed = from.n_listed;
  made.depth = from.depth + 1;
  const TokenGroup* group = find_group(from.state, token);
  if (group != nullptr && allows(from, *group) && !is_dead_end(from, *group) &&
      is_canonical(parent, token, *group)) {
    made.state = group->state;
    made.set = sets_.with(from.set, group->told.labels);
    made.n_listed += static_cast<int>(group->told.labels.size());
    // The prompt's end is not a part of the answer.
    const bool is_before =
        TokenAutomaton::is_before_answer(made.state) || made.state == ByteAutomaton::kStart;
    if (TokenAutomaton::is_before_answer(from.state)) {
      if (is_before) made.depth = 0;
      made.end_logp = made.logp;
    } else {
      made.end_logp = from.end_logp;
    }
  }
  nodes_.push_back(std::move(made));
  return found->second;
}

TokenIds AnswerTree::path(int id) const {
  TokenIds tokens;
  for (; id != kRoot; id = node(id).parent) tokens.push_back(node(id).token);
  std::reverse(tokens.begin(), tokens.end());
  return tokens;
}

std::string AnswerTree::text(int id) const {
  std::string bytes;
  for (const TokenId token : path(id)) bytes += tokenizer_.token_bytes(token);
  return bytes;
}

Prospect AnswerTree::prospect(int state, int set, int n_listed) const {
  const AnswerFormat& rules = format();
  if (state == ByteAutomaton::kDead || ByteAutomaton::is_closed(state)) return Prospect::None;
  if (rules.max_labels > 0 && n_listed >= rules.max_labels) return Prospect::None;
  const Outlook& next = automaton_.outlook(state);
  if (next.is_nothing()) return Prospect::None;
  const auto& labels = next.labels;
  if (rules.repeats == Repeats::Forbid && !next.is_any &&
      std::all_of(labels.begin(), labels.end(),
                  [&](LabelIndex label) { return sets_.has(set, label); })) {
    return Prospect::None;
  }
  const bool is_last =
      rules.separators.empty() || (rules.max_labels > 0 && n_listed + 1 == rules.max_labels);
  return is_last && !next.is_any ? Prospect::Few : Prospect::All;
}

// --- Places of the model ---

Access AnswerTree::need(int id, bool is_greedy) {
  Node& at = nodes_[static_cast<std::size_t>(id)];
  if (at.is_reached) return Access::There;
  if (at.is_wanted) return Access::Asked;
  const int n_others = n_asked_ - n_greedy_asked_;
  const bool is_full =
      is_greedy ? n_asked_ >= rules_.max_places : n_others >= rules_.max_places - rules_.n_reserved;
  if (is_full || at.depth > rules_.max_depth) return Access::Refused;
  ++n_asked_;
  if (is_greedy) ++n_greedy_asked_;
  want(id);
  return Access::Asked;
}

void AnswerTree::want(int id) {
  Node& at = nodes_[static_cast<std::size_t>(id)];
  LABELPROBE_CHECK(id == kRoot || nodes_[static_cast<std::size_t>(at.parent)].is_wanted);
  at.is_wanted = true;
  wanted_.push_back(id);
}

void AnswerTree::expect(std::span<const TokenId> greedy, bool reads_text) {
  LABELPROBE_CHECK(nodes_.size() == 1);
  need(kRoot, /*is_greedy=*/true);
  int parent = kRoot;
  for (const TokenId token : greedy) {
    const int id = child(parent, token, 1.0);
    nodes_[static_cast<std::size_t>(parent)].expected = id;
    const int state = node(id).state;
    if (ByteAutomaton::is_closed(state) || automaton_.is_end(token)) return;
    if (state == ByteAutomaton::kDead && !reads_text) return;
    if (need(id, /*is_greedy=*/true) == Access::Refused) return;
    parent = id;
  }
}

void AnswerTree::ask(model::Frontier& next) {
  for (const int id : wanted_) {
    Node& at = nodes_[static_cast<std::size_t>(id)];
    at.place = id == kRoot ? next.add(root_parent_, root_token_)
                           : next.add(node(at.parent).place, at.token);
    const auto place = static_cast<std::size_t>(at.place);
    if (nodes_by_place_.size() <= place) nodes_by_place_.resize(place + 1, -1);
    nodes_by_place_[place] = id;
  }
  wanted_.clear();
}

bool AnswerTree::has_asked(int place) const {
  const auto at = static_cast<std::size_t>(place);
  return at < nodes_by_place_.size() && nodes_by_place_[at] >= 0;
}

void AnswerTree::reach(const model::Place& place) {
  const int id = nodes_by_place_.at(static_cast<std::size_t>(place.id));
  Node& at = nodes_[static_cast<std::size_t>(id)];
  const double log_sum_exp = place.step->log_sum_exp;
  LABELPROBE_CHECK(!place.step->top_tokens.empty() && std::isfinite(log_sum_exp));
  const auto prob = [&](TokenId token) {
    return std::exp(place.logits[static_cast<std::size_t>(token)] - log_sum_exp);
  };
  at.is_reached = true;
  at.greedy_token = place.step->top_tokens.front().id;
  at.greedy_prob = prob(at.greedy_token);
  for (const TokenId token : rules_.watched) at.watched.push_back(prob(token));
  if (at.expected >= 0) {
    Node& expected = nodes_[static_cast<std::size_t>(at.expected)];
    expected.logp = at.logp + std::log(prob(expected.token));
    const bool is_of_end = TokenAutomaton::is_before_answer(at.state);
    expected.end_logp = is_of_end ? expected.logp : at.end_logp;
  }
  read_moves(at, place.logits, log_sum_exp);
  if (rules_.tokenisation == Tokenisation::Canonical) drop_strays(at, id);
  if (rules_.top_p > 0.0) read_top(at, place.logits, log_sum_exp);
}

void AnswerTree::read_moves(Node& at, std::span<const float> logits, double log_sum_exp) {
  at.off = 1.0;
  if (at.state == ByteAutomaton::kDead) return;
  const bool is_checked = rules_.tokenisation == Tokenisation::Canonical;
  const double smallest = TokenAutomaton::is_before_answer(at.state)
                              ? kSmallestOfEnd
                              : std::min((is_checked ? kSmallestChecked : kSmallestMass) /
                                             std::exp(at.logp - at.end_logp),
                                         is_checked ? kAlwaysChecked : kAlwaysKept);
  const std::vector<TokenGroup>& groups = automaton_.groups(at.state);
  double allowed = 0.0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!allows(at, groups[g])) continue;
    const bool is_dead = is_dead_end(at, groups[g]);
    if (is_dead && groups[g].told.labels.empty()) continue;
    const bool is_joined = groups[g].told.close != Close::No && !is_checked;
    double rest = 0.0;
    for (const TokenId token : groups[g].tokens) {
      const double prob = std::exp(logits[static_cast<std::size_t>(token)] - log_sum_exp);
      if (!is_dead) allowed += prob;
      if (prob >= (is_joined ? kSmallestEnd : smallest)) {
        at.moves.push_back({prob, token, static_cast<int>(g), is_dead});
      } else if (!is_dead) {
        (is_joined ? rest : at.small) += prob;
      }
    }
    if (rest > 0.0) at.moves.push_back({rest, Move::kRest, static_cast<int>(g), false});
  }
  at.off -= allowed;
  if (TokenAutomaton::is_before_answer(at.state)) {
    double agreeing = 0.0;
    for (const TokenId token : automaton_.agreeing(at.state)) {
      agreeing += std::exp(logits[static_cast<std::size_t>(token)] - log_sum_exp);
    }
    at.astray = 1.0 - agreeing;
    at.off = agreeing - allowed;
  }
  std::sort(at.moves.begin(), at.moves.end(), [](const Move& a, const Move& b) {
    if (a.prob != b.prob) return a.prob > b.prob;
    return a.token != b.token ? a.token < b.token : a.group < b.group;
  });
}

// What the tokenizer would not write is off format.
void AnswerTree::drop_strays(Node& at, int id) const {
  const auto first = std::remove_if(at.moves.begin(), at.moves.end(), [&](const Move& move) {
    const bool strays = !is_canonical(id, move.token, group(id, move));
    if (strays && !move.is_dead_end) at.off += move.prob;
    return strays;
  });
  at.moves.erase(first, at.moves.end());
}

void AnswerTree::read_top(Node& at, std::span<const float> logits, double log_sum_exp) {
  // A peaked distribution has its first tokens among few.
  for (const double smallest : {1e-4, 1e-7, 0.0}) {
    const double least = log_sum_exp + std::log(smallest);
    std::vector<TokenProb> candidates;
    for (std::size_t token = 0; token < logits.size(); ++token) {
      if (logits[token] < least) continue;
      candidates.push_back({static_cast<TokenId>(token), std::exp(logits[token] - log_sum_exp)});
    }
    std::sort(candidates.begin(), candidates.end(), is_more_probable);
    double sum = 0.0;
    const auto crossing =
        std::find_if(candidates.begin(), candidates.end(), [&](const TokenProb& candidate) {
          sum += candidate.prob;
          return sum > rules_.top_p;
        });
    if (crossing != candidates.end()) candidates.erase(crossing + 1, candidates.end());
    at.top = std::move(candidates);
    if (sum > rules_.top_p) return;
  }
}

}  // namespace labelprobe::readout
