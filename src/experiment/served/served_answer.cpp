#include "experiment/served/served_answer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace labelprobe::experiment {

namespace {

// Whether a token with these bytes begins the word: a space alone does not.
bool begins(std::string_view token, std::string_view word) {
  return word.starts_with(token) && token.find_first_not_of(' ') != std::string_view::npos;
}

class Reading {
 public:
  Reading(const server::TextAnswer& answer,
          const model::GenerateOptions& options,
          const ServedVocabulary& vocabulary,
          std::vector<std::string> first_tokens)
      : answer_(answer),
        options_(options),
        vocabulary_(vocabulary),
        first_tokens_(std::move(first_tokens)) {
    first_tokens_.resize(options.watched.size());
    for (const TokenId id : options.watched) {
      words_.push_back(vocabulary.token_bytes(id));
    }
  }

  model::Generation read() {
    std::size_t at = 0;  // in bytes of the answer
    for (std::size_t i = 0; i < answer_.tokens.size() && !is_complete();) {
      const server::AnswerToken& first = answer_.tokens[i];
      const std::string_view rest = std::string_view(answer_.text).substr(at);
      const std::string_view word = longest_word(first.text, rest);
      if (word.empty()) {
        add(first.text, step_of(first));
        at += first.text.size();
        i += 1;
        continue;
      }
      add(word, step_of(first));
      std::size_t end = at;  // of the tokens that spell the word
      while (end < at + word.size()) end += answer_.tokens[i++].text.size();
      at += word.size();
      if (end > at && !is_complete()) add(answer_.text.substr(at, end - at), step_of({}));
      at = end;
    }
    return std::move(made_);
  }

 private:
  bool is_complete() const {
    return !made_.token_ids.empty() && options_.stop.is_complete &&
           options_.stop.is_complete(made_.token_ids);
  }

  void add(std::string_view bytes, model::Step step) {
    made_.token_ids.push_back(vocabulary_.id_of(bytes));
    made_.steps.push_back(std::move(step));
  }

  // The watched word that the rest of the answer begins with and the token is a part of.
  std::string_view longest_word(std::string_view token, std::string_view rest) const {
    std::string_view longest;
    for (const std::string& word : words_) {
      if (word.size() > longest.size() && rest.starts_with(word) && begins(token, word)) {
        longest = word;
      }
    }
    return longest;
  }

  // Without anything known where the token has none: behind a word that ends inside a token.
  model::Step step_of(const server::AnswerToken& token) const {
    std::vector<server::LikelyText> likely = token.likely;
    if (!token.text.empty() && std::none_of(likely.begin(), likely.end(), [&](const auto& of) {
          return of.text == token.text;
        })) {
      likely.push_back({token.text, token.logprob});
      std::stable_sort(likely.begin(), likely.end(),
                       [](const auto& a, const auto& b) { return a.logprob > b.logprob; });
    }
    model::Step step;
    for (const server::LikelyText& of : likely) {
      step.top_tokens.push_back({vocabulary_.id_of(of.text), static_cast<float>(of.logprob)});
    }
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::optional<std::size_t> first = first_token(i, likely);
      step.watched_logits.push_back(first ? static_cast<float>(likely[*first].logprob)
                                          : kUnseenLogprob);
      // The likeliest token of all is asked whether it begins an answer.
      if (first == std::size_t{0}) step.top_tokens[0].id = options_.watched[i];
    }
    return step;
  }

  // Which of the tokens begins a word.
  std::optional<std::size_t> first_token(std::size_t word,
                                         const std::vector<server::LikelyText>& likely) const {
    const std::string& known = first_tokens_[word];
    std::optional<std::size_t> longest;
    for (std::size_t i = 0; i < likely.size(); ++i) {
      if ((known.empty() ? begins(likely[i].text, words_[word]) : likely[i].text == known) &&
          (!longest || likely[i].text.size() > likely[*longest].text.size())) {
        longest = i;
      }
    }
    return longest;
  }

  const server::TextAnswer& answer_;
  const model::GenerateOptions& options_;
  const ServedVocabulary& vocabulary_;
  std::vector<std::string> words_;         // [n_watched]
  std::vector<std::string> first_tokens_;  // [n_watched], empty where not known
  model::Generation made_;
};

}  // namespace

model::Generation generation_of(const server::TextAnswer& answer,
                                const model::GenerateOptions& options,
                                const ServedVocabulary& vocabulary,
                                const std::vector<std::string>& first_tokens) {
  if (answer.failure) {
    model::Generation failed;
    failed.failure = answer.failure;
    return failed;
  }
  return Reading(answer, options, vocabulary, first_tokens).read();
}

}  // namespace labelprobe::experiment
