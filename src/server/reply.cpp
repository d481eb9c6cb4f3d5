#include "server/reply.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/limits.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::server {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
// Servers round: a probability may come out a little above 1.
constexpr double kMostLogprob = 0.01;

double logprob_of(const files::JsonView& value) {
  const double logprob = value.number();
  if (logprob > kMostLogprob) value.fail_expected("a log-probability, 0 at most");
  return std::min(logprob, 0.0);
}

// A token's bytes where the server gives them, else its text.
std::string text_of(const files::JsonView& token) {
  const files::JsonView bytes = token.find("bytes");
  if (bytes.is_null()) return token.at("token").string();
  std::string text;
  for (const files::JsonView& byte : bytes.items()) {
    text.push_back(static_cast<char>(byte.integer(0, 255)));
  }
  return text;
}

void sort_likely(std::vector<LikelyText>& likely) {
  std::stable_sort(likely.begin(), likely.end(),
                   [](const LikelyText& a, const LikelyText& b) { return a.logprob > b.logprob; });
}

std::vector<AnswerToken> tokens_of_chat(const files::JsonView& content) {
  std::vector<AnswerToken> tokens;
  for (const files::JsonView& entry : content.items()) {
    AnswerToken& token = tokens.emplace_back();
    token.text = text_of(entry);
    token.logprob = logprob_of(entry.at("logprob"));
    for (const files::JsonView& likely : entry.at("top_logprobs").items()) {
      token.likely.push_back({text_of(likely), logprob_of(likely.at("logprob"))});
    }
    sort_likely(token.likely);
  }
  return tokens;
}

std::vector<AnswerToken> tokens_of_completion(const files::JsonView& logprobs) {
  const std::vector<files::JsonView> texts = logprobs.at("tokens").items();
  const std::vector<files::JsonView> numbers = logprobs.at("token_logprobs").items();
  const std::vector<files::JsonView> tops = logprobs.at("top_logprobs").items();
  for (const auto& [name, list] :
       {std::pair{"token_logprobs", &numbers}, {"top_logprobs", &tops}}) {
    if (list->size() != texts.size()) {
      logprobs.at(name).fail_expected(fmt::format("{} entries, one for each token", texts.size()),
                                      fmt::to_string(list->size()));
    }
  }
  std::vector<AnswerToken> tokens;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    AnswerToken& token = tokens.emplace_back();
    token.text = texts[i].string();
    token.logprob = logprob_of(numbers[i]);
    for (const auto& [text, number] : tops[i].members()) {
      token.likely.push_back({text, logprob_of(number)});
    }
    sort_likely(token.likely);
  }
  return tokens;
}

bool is_damaged(const std::string& text) {
  return text.empty() || text.find(kReplacement) != std::string::npos;
}

// Where the first token from `next` on whose text is whole stands in the answer.
std::size_t next_whole(const std::vector<AnswerToken>& tokens,
                       std::size_t next,
                       std::string_view text,
                       std::size_t from) {
  for (; next < tokens.size(); ++next) {
    if (!is_damaged(tokens[next].text)) {
      return std::min(text.find(tokens[next].text, from), text.size());
    }
  }
  return text.size();
}

// Makes the tokens' texts those parts of the answer that they stand for: a token that is a part of
// a character has no text of its own, and what ends an answer is not in it.
void align(std::vector<AnswerToken>& tokens, std::string_view text) {
  std::size_t at = 0;
  std::size_t n_kept = 0;
  for (std::size_t i = 0; i < tokens.size() && at < text.size(); ++i) {
    std::string& token = tokens[i].text;
    const std::string_view rest = text.substr(at);
    if (!token.empty() && rest.starts_with(token)) {
      at += token.size();
    } else if (is_damaged(token)) {
      const std::size_t end = next_whole(tokens, i + 1, text, at);
      token = text.substr(at, end - at);
      at = end;
    } else if (token.starts_with(rest)) {
      token = rest;  // the stop text begins inside it
      at = text.size();
    } else {
      break;  // text that no token accounts for
    }
    n_kept = i + 1;
  }
  tokens.resize(n_kept);
  if (at < text.size()) {
    if (tokens.empty()) tokens.emplace_back();
    tokens.back().text += text.substr(at);
  }
}

std::int64_t count_in(const files::JsonView& reply, std::string_view key) {
  const files::JsonView usage = reply.find("usage");
  return !usage.is_null() && usage.has(key) ? usage.at(key).integer(0, limits::kReplyTokens) : 0;
}

}  // namespace

TextAnswer read_reply(const files::JsonView& reply, const Question& question) {
  const files::JsonView choices = reply.at("choices");
  if (choices.items().size() != 1) {
    choices.fail_expected("one choice", fmt::to_string(choices.items().size()));
  }
  const files::JsonView choice = choices.items().front();
  TextAnswer answer;
  if (question.messages.empty()) {
    answer.text = choice.at("text").string();
  } else {
    const files::JsonView message = choice.at("message");
    answer.text = message.has("content") ? message.at("content").string() : "";
  }
  const files::JsonView logprobs = choice.find("logprobs");
  if (logprobs.is_null()) {
    choice.fail_expected("log-probabilities in 'logprobs'; the server gives none for this model",
                         "none");
  }
  answer.tokens = logprobs.has("content") ? tokens_of_chat(logprobs.at("content"))
                                          : tokens_of_completion(logprobs);
  answer.n_completion_tokens = count_in(reply, "completion_tokens");
  answer.n_prompt_tokens = count_in(reply, "prompt_tokens");
  if (answer.n_completion_tokens == 0) {
    answer.n_completion_tokens = static_cast<std::int64_t>(answer.tokens.size());
  }
  align(answer.tokens, answer.text);
  answer.finish_reason =
      choice.has("finish_reason") ? choice.at("finish_reason").string() : std::string();
  return answer;
}

}  // namespace labelprobe::server
