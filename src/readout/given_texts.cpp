#include "labelprobe/readout/given_texts.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "labelprobe/core/error.h"
#include "labelprobe/python/text.h"

namespace labelprobe::readout {
namespace {

// What stands for the prompt among the texts of a part.
constexpr std::size_t kPrompt = static_cast<std::size_t>(-1);

// Sequences of a request that begin with the same token; as a rule all of them.
struct Part {
  std::size_t request = 0;
  std::vector<std::size_t> texts;          // by index, or kPrompt
  std::vector<const TokenIds*> sequences;  // of these texts
  std::size_t n_common = 0;                // leading tokens that they have in common
};

// Each text has a token behind what the sequences of a part have in common.
void add_sequence(std::vector<Part>& parts,
                  std::size_t request,
                  std::size_t text,
                  const TokenIds& tokens,
                  std::size_t n_most) {
  auto part = std::find_if(parts.begin(), parts.end(), [&](const Part& other) {
    return other.sequences.front()->front() == tokens.front();
  });
  if (part == parts.end()) {
    part = parts.insert(part, {request, {}, {}, tokens.size()});
  }
  const TokenIds& first = part->sequences.empty() ? tokens : *part->sequences.front();
  std::size_t n = std::min({part->n_common, n_most, tokens.size()});
  std::size_t n_equal = 0;
  while (n_equal < n && tokens[n_equal] == first[n_equal]) ++n_equal;
  part->n_common = n_equal;
  part->texts.push_back(text);
  part->sequences.push_back(&tokens);
}

std::vector<Part> parts_of(std::span<const GivenRequest> requests) {
  std::vector<Part> parts;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    std::vector<Part> of_request;
    for (std::size_t t = 0; t < requests[r].texts.size(); ++t) {
      const GivenText& text = requests[r].texts[t];
      LABELPROBE_CHECK(text.first > 0 && text.first < text.tokens.size());
      add_sequence(of_request, r, t, text.tokens, text.first);
    }
    if (const auto& prompt = requests[r].prompt) {
      LABELPROBE_CHECK(!prompt->empty());
      add_sequence(of_request, r, kPrompt, *prompt, prompt->size());
    }
    LABELPROBE_CHECK(!of_request.empty());
    std::move(of_request.begin(), of_request.end(), std::back_inserter(parts));
  }
  return parts;
}

// The sequences of a part behind what they have in common, as a trie of tokens.
class TextTrie {
 public:
  TextTrie() = default;
  explicit TextTrie(const Part& part) {
    for (const TokenIds* tokens : part.sequences) add(*tokens, part.n_common);
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
      : requests_(requests),
        sink_(sink),
        parts_(parts_of(requests)),
        has_asked_(parts_.size()),
        n_left_(requests.size()),
        scores_(requests.size()) {
    for (const Part& part : parts_) {
      tries_.emplace_back(part);
      ++n_left_[part.request];
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
      scores_[i].texts.resize(requests[i].texts.size());
    }
  }

  model::ExploreOptions options(const ScoringOptions& options) const {
    model::ExploreOptions explore;
    explore.observe.n_top_tokens = 1;
    explore.observe.shows_logits = true;
    for (const TextTrie& trie : tries_) explore.reach.push_back(trie.reach());
    explore.reads_prompts =
        std::any_of(requests_.begin(), requests_.end(),
                    [](const GivenRequest& request) { return request.prompt.has_value(); });
    explore.batch_size = options.batch_size;
    explore.share_prefixes = options.share_prefixes;
    if (!options.is_scored.empty()) {
      for (const Part& part : parts_)
        explore.is_answered.push_back(options.is_scored[part.request]);
    }
    explore.on_work = options.on_work;
    return explore;
  }

  // What the sequences of each part have in common.
  std::vector<TokenIds> beginnings() const {
    std::vector<TokenIds> beginnings;
    for (const Part& part : parts_) {
      const auto first = part.sequences.front()->begin();
      beginnings.emplace_back(first, first + static_cast<std::ptrdiff_t>(part.n_common));
    }
    return beginnings;
  }

  std::int64_t n_tokens_at_most() const {
    std::int64_t n = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      n += static_cast<std::int64_t>(parts_[i].n_common) + tries_[i].reach().n_places;
    }
    return n;
  }

  void begin(std::size_t part) override { has_asked_[part] = false; }
  void read_prompt(std::size_t part, std::span<const model::PromptToken> tokens) override {
    if (parts_[part].texts.back() != kPrompt) return;
    std::vector<double>& logprobs = scores_[parts_[part].request].prompt_logprobs;
    logprobs.clear();
    for (const model::PromptToken& token : tokens) {
      logprobs.push_back(static_cast<double>(token.logit) - static_cast<double>(token.log_sum_exp));
    }
  }
  void reach(const model::Place& place) override { tries_[place.prompt].reach(place); }
  void grow(std::size_t part, model::Frontier& next) override {
    if (has_asked_[part]) return;
    has_asked_[part] = true;
    tries_[part].ask(next);
  }

  void finish(std::size_t i, const std::optional<std::string>& failure) override {
    const Part& part = parts_[i];
    RequestScore& score = scores_[part.request];
    if (failure) {
      score = {};
      score.failure = failure;
    } else if (!score.failure) {
      for (std::size_t t = 0; t < part.texts.size(); ++t) read(i, t, score);
    }
    tries_[i] = TextTrie();
    if (--n_left_[part.request] == 0) sink_(part.request, std::move(score));
  }

 private:
  void read(std::size_t i, std::size_t t, RequestScore& score) const {
    const Part& part = parts_[i];
    const std::span<const TokenId> behind = std::span(*part.sequences[t]).subspan(part.n_common);
    if (part.texts[t] == kPrompt) {
      const std::vector<double> rest = tries_[i].score(behind, 0).token_logprobs;
      score.prompt_logprobs.insert(score.prompt_logprobs.end(), rest.begin(), rest.end());
    } else {
      const GivenText& text = requests_[part.request].texts[part.texts[t]];
      score.texts[part.texts[t]] = tries_[i].score(behind, text.first - part.n_common);
    }
  }

  std::span<const GivenRequest> requests_;
  const std::function<void(std::size_t, RequestScore)>& sink_;
  std::vector<Part> parts_;
  std::vector<TextTrie> tries_;      // by part
  std::vector<bool> has_asked_;      // by part
  std::vector<std::size_t> n_left_;  // parts of each request that are not finished
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
  language_model.explore(explorer.beginnings(), explorer.options(options), explorer);
}

std::int64_t n_tokens_at_most(std::span<const GivenRequest> requests) {
  return TextExplorer(requests, {}).n_tokens_at_most();
}

}  // namespace labelprobe::readout
