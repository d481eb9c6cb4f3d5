#include "labelprobe/readout/given_texts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/python/text.h"

namespace labelprobe::readout {
namespace {

// Leading tokens that all texts of a request have in common, so that each has a token behind them.
std::size_t common_beginning(const GivenRequest& request) {
  std::size_t n = request.texts.front().tokens.size() - 1;
  const auto limit = [&](const TokenIds& tokens) {
    const TokenIds& first = request.texts.front().tokens;
    std::size_t n_equal = 0;
    while (n_equal < n && n_equal < tokens.size() && tokens[n_equal] == first[n_equal]) ++n_equal;
    n = std::min({n, n_equal, tokens.size() - 1});
  };
  for (const GivenText& text : request.texts) {
    limit(text.tokens);
    n = std::min(n, text.first);
  }
  if (request.prompt) limit(*request.prompt);
  return n;
}

// The texts of a request behind what they have in common, as a trie of tokens.
class TextTrie {
 public:
  TextTrie() = default;
  TextTrie(const GivenRequest& request, std::size_t n_common) {
    for (const GivenText& text : request.texts) add(text.tokens, n_common);
    if (request.prompt) add(*request.prompt, n_common);
  }

  // Places that the model must compute: those with something behind them, but the first.
  model::Reach reach() const {
    model::Reach reach;
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      if (nodes_[i].children.empty()) continue;
      ++reach.n_places;
      reach.depth = std::max(reach.depth, nodes_[i].depth);
    }
    return reach;
  }

  void ask(model::Frontier& next) {
    node_of_place_ = {0};
    std::vector<int> place_of(nodes_.size());
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      if (nodes_[i].children.empty()) continue;
      place_of[i] = next.add(place_of[nodes_[i].parent], nodes_[i].token);
      LABELPROBE_CHECK(place_of[i] == static_cast<int>(node_of_place_.size()));
      node_of_place_.push_back(i);
    }
  }

  void reach(const model::Place& place) {
    const std::size_t node = place.id == 0 ? 0 : node_of_place_.at(place.id);
    for (const auto& [token, child] : nodes_[node].children) {
      nodes_[child].logprob =
          static_cast<double>(place.logits[token]) - static_cast<double>(place.step->log_sum_exp);
      nodes_[child].is_best = place.step->top_tokens.front().id == token;
    }
  }

  // Given a text's tokens behind what is in common: of those behind the first `n_skipped` of them.
  TextScore score(std::span<const TokenId> tokens, std::size_t n_skipped) const {
    TextScore score;
    score.is_greedy = true;
    std::size_t node = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      node = nodes_[node].children.at(tokens[i]);
      if (i < n_skipped) continue;
      score.token_logprobs.push_back(nodes_[node].logprob);
      score.logprob += nodes_[node].logprob;
      score.is_greedy = score.is_greedy && nodes_[node].is_best;
    }
    return score;
  }

 private:
  struct Node {
    std::size_t parent = 0;
    TokenId token = 0;
    int depth = 0;
    double logprob = 0.0;
    bool is_best = false;
    std::map<TokenId, std::size_t> children;
  };

  void add(const TokenIds& tokens, std::size_t n_common) {
    std::size_t node = 0;
    for (std::size_t i = n_common; i < tokens.size(); ++i) {
      const auto [child, is_new] = nodes_[node].children.try_emplace(tokens[i], nodes_.size());
      const std::size_t next = child->second;
      if (is_new) nodes_.push_back({node, tokens[i], nodes_[node].depth + 1, 0.0, false, {}});
      node = next;
    }
  }

  std::vector<Node> nodes_ = {Node()};
  std::vector<std::size_t> node_of_place_;
};

class TextExplorer : public model::Explorer {
 public:
  TextExplorer(std::span<const GivenRequest> requests,
               const std::function<void(std::size_t, RequestScore)>& sink)
      : requests_(requests), sink_(sink), has_asked_(requests.size()), scores_(requests.size()) {
    for (const GivenRequest& request : requests) {
      LABELPROBE_CHECK(!request.texts.empty());
      const std::size_t n_common = common_beginning(request);
      LABELPROBE_CHECK(n_common > 0);
      const TokenIds& tokens = request.texts.front().tokens;
      beginnings_.emplace_back(tokens.begin(),
                               tokens.begin() + static_cast<std::ptrdiff_t>(n_common));
      tries_.emplace_back(request, n_common);
    }
  }

  const std::vector<TokenIds>& beginnings() const { return beginnings_; }
  std::vector<model::Reach> reach() const {
    std::vector<model::Reach> reach;
    for (const TextTrie& trie : tries_) reach.push_back(trie.reach());
    return reach;
  }

  void begin(std::size_t request) override { has_asked_[request] = false; }
  void read_prompt(std::size_t request, std::span<const model::PromptToken> tokens) override {
    std::vector<double>& logprobs = scores_[request].prompt_logprobs;
    logprobs.clear();
    for (const model::PromptToken& token : tokens) {
      logprobs.push_back(static_cast<double>(token.logit) - static_cast<double>(token.log_sum_exp));
    }
  }
  void reach(const model::Place& place) override { tries_[place.prompt].reach(place); }
  void grow(std::size_t request, model::Frontier& next) override {
    if (has_asked_[request]) return;
    has_asked_[request] = true;
    tries_[request].ask(next);
  }

  void finish(std::size_t i, const std::optional<std::string>& failure) override {
    RequestScore& score = scores_[i];
    if (failure) {
      score = {};
      score.failure = failure;
    } else {
      read(requests_[i], tries_[i], beginnings_[i].size(), score);
    }
    tries_[i] = TextTrie();
    sink_(i, std::move(score));
  }

 private:
  // What read_prompt() left is of the beginning alone.
  static void read(const GivenRequest& request,
                   const TextTrie& trie,
                   std::size_t n_common,
                   RequestScore& score) {
    for (const GivenText& text : request.texts) {
      score.texts.push_back(
          trie.score(std::span(text.tokens).subspan(n_common), text.first - n_common));
    }
    if (!request.prompt) return score.prompt_logprobs.clear();
    const std::vector<double> rest =
        trie.score(std::span(*request.prompt).subspan(n_common), 0).token_logprobs;
    score.prompt_logprobs.insert(score.prompt_logprobs.end(), rest.begin(), rest.end());
  }

  std::span<const GivenRequest> requests_;
  const std::function<void(std::size_t, RequestScore)>& sink_;
  std::vector<TokenIds> beginnings_;
  std::vector<TextTrie> tries_;
  std::vector<bool> has_asked_;
  std::vector<RequestScore> scores_;
};

}  // namespace

GivenText join_texts(const tokenizer::Tokenizer& tokenizer,
                     std::string_view prompt,
                     std::string_view continuation,
                     tokenizer::SpecialTokens special,
                     Joining joining) {
  const std::string text = std::string(prompt) + std::string(continuation);
  const std::string_view stripped = python::strip(prompt);
  const std::size_t n_kept =
      stripped.empty() ? 0 : static_cast<std::size_t>(stripped.end() - prompt.begin());
  const tokenizer::Encoding whole = tokenizer.encode_with_offsets(text, special);
  GivenText joined = {whole.ids, 0};
  if (joining == Joining::Text) {
    while (joined.first < whole.ids.size() && whole.ends[joined.first] <= n_kept) ++joined.first;
  } else {
    const TokenIds alone = tokenizer.encode(prompt.substr(0, n_kept), special);
    joined.first = alone.size();
    joined.tokens.resize(std::max(alone.size(), whole.ids.size()));
    std::copy(alone.begin(), alone.end(), joined.tokens.begin());
  }
  if (joined.first == 0) {
    const std::optional<TokenId> first =
        tokenizer.bos_id() ? tokenizer.bos_id() : tokenizer.eos_id();
    if (!first) {
      throw DataError(
          "the prompt is empty, and the tokenizer has no begin-of-text or end-of-text token that "
          "could stand for it");
    }
    joined.tokens.insert(joined.tokens.begin(), *first);
    joined.first = 1;
  }
  if (joined.first >= joined.tokens.size()) {
    throw DataError(
        "the continuation has no token of its own: it is empty, or one token with the prompt's "
        "end");
  }
  return joined;
}

void score_texts(model::LanguageModel& language_model,
                 std::span<const GivenRequest> requests,
                 const ScoringOptions& options,
                 const std::function<void(std::size_t, RequestScore)>& sink) {
  TextExplorer explorer(requests, sink);
  model::ExploreOptions explore;
  explore.observe.n_top_tokens = 1;
  explore.observe.shows_logits = true;
  explore.reach = explorer.reach();
  explore.reads_prompts =
      std::any_of(requests.begin(), requests.end(),
                  [](const GivenRequest& request) { return request.prompt.has_value(); });
  explore.batch_size = options.batch_size;
  explore.share_prefixes = options.share_prefixes;
  explore.is_answered = options.is_scored;
  explore.on_work = options.on_work;
  language_model.explore(explorer.beginnings(), explore, explorer);
}

std::int64_t n_tokens_at_most(std::span<const GivenRequest> requests) {
  std::int64_t n = 0;
  for (const GivenRequest& request : requests) {
    const std::size_t n_common = common_beginning(request);
    n += static_cast<std::int64_t>(n_common) + TextTrie(request, n_common).reach().n_places;
  }
  return n;
}

}  // namespace labelprobe::readout
