// Scores of given texts, by a model whose probabilities are written down here.
#include "labelprobe/readout/given_texts.h"

#include <cmath>
#include <map>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/fake_model.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {
namespace {

using support::FakeModel;
using support::ListTokenizer;
using tokenizer::SpecialTokens;

// Logits of token t after a text: t * (1 + sum of the text's tokens) mod 7.
std::vector<float> logits_after(std::span<const TokenId> text) {
  int sum = 1;
  for (const TokenId token : text) sum += token;
  std::vector<float> logits;
  for (int t = 0; t < 11; ++t) logits.push_back(static_cast<float>(t * sum % 7));
  return logits;
}

FakeModel model() {
  return FakeModel(11, [](std::span<const TokenId> prompt, std::span<const TokenId> generated) {
    TokenIds text(prompt.begin(), prompt.end());
    text.insert(text.end(), generated.begin(), generated.end());
    return logits_after(text);
  });
}

double logprob(const TokenIds& tokens, std::size_t i) {
  const std::vector<float> logits = logits_after(std::span(tokens).first(i));
  double total = 0;
  for (const float logit : logits) total += std::exp(logit);
  return logits[tokens[i]] - std::log(total);
}

std::map<std::size_t, RequestScore> scores_of(const std::vector<GivenRequest>& requests,
                                              const ScoringOptions& options = {}) {
  FakeModel fake = model();
  std::map<std::size_t, RequestScore> scores;
  score_texts(fake, requests, options, [&](std::size_t i, RequestScore score) {
    CHECK(scores.emplace(i, std::move(score)).second);
  });
  return scores;
}

void check_score(const TextScore& score, const GivenText& text) {
  REQUIRE(score.token_logprobs.size() == text.tokens.size() - text.first);
  double sum = 0;
  for (std::size_t i = text.first; i < text.tokens.size(); ++i) {
    CHECK(score.token_logprobs[i - text.first] == Approx(logprob(text.tokens, i)).margin(1e-5));
    sum += score.token_logprobs[i - text.first];
  }
  CHECK(score.logprob == Approx(sum));
}

}  // namespace

TEST_CASE("Every token of given texts has its log-probability", "[unit]") {
  const std::vector<GivenRequest> requests = {
      {{{{1, 2, 3, 4}, 2}, {{1, 2, 3, 5}, 2}, {{1, 2, 3}, 2}, {{1, 2, 7, 8, 9}, 3}}, {}},
      {{{{4, 4}, 1}}, {}},
      {{{{1, 2, 9, 9}, 3}, {{1, 3, 9}, 2}}, {}},          // whose prompts part before they end
      {{{{6, 2}, 1}, {{3, 2}, 1}, {{6, 5, 1}, 2}}, {}}};  // and at once
  const auto scores = scores_of(requests);
  REQUIRE(scores.size() == requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    INFO("request " << i);
    REQUIRE(scores.at(i).texts.size() == requests[i].texts.size());
    for (std::size_t t = 0; t < requests[i].texts.size(); ++t) {
      INFO("text " << t);
      check_score(scores.at(i).texts[t], requests[i].texts[t]);
    }
    CHECK(scores.at(i).prompt_logprobs.empty());
  }
}

TEST_CASE("A text is greedy where each of its tokens is the likeliest", "[unit]") {
  // After {1, 2} token t has 4 t mod 7: 5 has the most. After {1, 2, 5}, 9 t mod 7: 3 and 10.
  const auto scores =
      scores_of({{{{{1, 2, 5, 3}, 2}, {{1, 2, 5, 10}, 2}, {{1, 2, 4, 0}, 2}, {{1, 2, 5}, 2}}, {}}});
  const std::vector<TextScore>& texts = scores.at(0).texts;
  CHECK(texts[0].is_greedy);
  CHECK_FALSE(texts[1].is_greedy);  // of equals the smallest id counts
  CHECK_FALSE(texts[2].is_greedy);
  CHECK(texts[3].is_greedy);
}

TEST_CASE("Tokens of a prompt are scored too, where that is asked for", "[unit]") {
  // The prompt's own tokens are not all in the texts.
  const TokenIds prompt = {1, 2, 3, 6};
  const auto scores = scores_of({{{{{1, 2, 3, 4}, 3}, {{1, 2, 5, 5}, 3}}, prompt},
                                 {{{{7, 8}, 1}}, {}},
                                 {{{{7, 8}, 1}}, TokenIds{7}},
                                 {{{{7, 8}, 1}}, TokenIds{2, 3}}});
  const std::vector<double>& logprobs = scores.at(0).prompt_logprobs;
  REQUIRE(logprobs.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(logprobs[i] == Approx(logprob(prompt, i + 1)).margin(1e-5));
  }
  check_score(scores.at(0).texts[1], {{1, 2, 5, 5}, 3});
  CHECK(scores.at(1).prompt_logprobs.empty());
  CHECK(scores.at(2).prompt_logprobs.empty());
  REQUIRE(scores.at(3).prompt_logprobs.size() == 1);
  CHECK(scores.at(3).prompt_logprobs[0] == Approx(logprob({2, 3}, 1)).margin(1e-5));
  check_score(scores.at(3).texts[0], {{7, 8}, 1});
}

TEST_CASE("Requests that are scored already are left out", "[unit]") {
  ScoringOptions options;
  options.is_scored = {true, false};
  const auto scores = scores_of({{{{{1, 2}, 1}}, {}}, {{{{1, 3}, 1}}, {}}}, options);
  CHECK(scores.size() == 1);
  CHECK(scores.contains(1));
}

TEST_CASE("A prompt and its continuation are tokenized as one text", "[unit]") {
  const ListTokenizer tokenizer({"the", " answer", " yes", "yes", "no"});
  const auto joining = GENERATE(Joining::Text, Joining::LmEval);
  const auto join = [&](std::string_view prompt, std::string_view continuation) {
    return join_texts(tokenizer, prompt, continuation, SpecialTokens::Omit, joining);
  };
  const TokenId colon = 5 + ':';  // bytes come behind the list
  const TokenId space = 5 + ' ';
  const GivenText expected = {{0, 1, colon, 2}, 3};
  CHECK(join("the answer:", " yes") == expected);
  CHECK(join("the answer: ", "yes") == expected);
  CHECK(join("the answer: ", "no") == GivenText{{0, 1, colon, space, 4}, 3});
}

TEST_CASE("A token that spans prompt and continuation is of the continuation", "[unit]") {
  const ListTokenizer tokenizer({"the", "them", "see"});
  const auto join = [&](std::string_view prompt, std::string_view continuation, Joining joining) {
    return join_texts(tokenizer, prompt, continuation, SpecialTokens::Omit, joining);
  };
  CHECK(join("seethe", "msee", Joining::Text) == GivenText{{2, 1, 2}, 1});
  // What lm-eval scores is `seethesee`.
  CHECK(join("seethe", "msee", Joining::LmEval) == GivenText{{2, 0, 2}, 2});
}

TEST_CASE("Texts that nothing can be scored of are refused", "[unit]") {
  const ListTokenizer tokenizer({"the", "them"});
  const auto join = [&](std::string_view prompt, std::string_view continuation, Joining joining) {
    return join_texts(tokenizer, prompt, continuation, SpecialTokens::Omit, joining);
  };
  CHECK_THROWS_WITH(join("the", "m", Joining::LmEval), ContainsSubstring("no token of its own"));
  CHECK_THROWS_WITH(join("the", "", Joining::Text), ContainsSubstring("no token of its own"));
  CHECK_THROWS_WITH(join("", "the", Joining::Text),
                    ContainsSubstring("no begin-of-text or end-of-text token"));
}

}  // namespace labelprobe::readout
