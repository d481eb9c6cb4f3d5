#include "server/reply.h"

#include "support/catch.h"
#include "support/errors.h"

using labelprobe::ErrorKind;
using labelprobe::ModelError;
using labelprobe::server::AnswerToken;
using labelprobe::server::Question;
using labelprobe::server::read_reply;
using labelprobe::server::TextAnswer;
using labelprobe::support::message_of;
using nlohmann::json;

namespace {

TextAnswer read(const json& reply, const Question& question = {}) {
  return read_reply(
      labelprobe::files::parse_json(reply.dump(), {.name = "address", .error = ErrorKind::Model}),
      question);
}

std::vector<std::string> texts_of(const TextAnswer& answer) {
  std::vector<std::string> texts;
  for (const AnswerToken& token : answer.tokens) texts.push_back(token.text);
  return texts;
}

// As vLLM and llama-cpp-python answer completions.
json completion(const std::string& text, const std::vector<std::string>& tokens) {
  json logprobs = {{"tokens", tokens}};
  for (const std::string& token : tokens) {
    logprobs["token_logprobs"].push_back(-0.5);
    logprobs["top_logprobs"].push_back({{"other", -2.0}, {token, -0.5}});
  }
  return {{"choices", {{{"text", text}, {"logprobs", logprobs}, {"finish_reason", "stop"}}}},
          {"usage", {{"prompt_tokens", 12}, {"completion_tokens", 3}}}};
}

}  // namespace

TEST_CASE("Log-probabilities of completions are read, the likeliest token first", "[server]") {
  const TextAnswer answer = read(completion(" joy, love", {" joy", ",", " love"}));
  CHECK(answer.text == " joy, love");
  CHECK(texts_of(answer) == std::vector<std::string>{" joy", ",", " love"});
  CHECK(answer.tokens[0].logprob == -0.5);
  REQUIRE(answer.tokens[0].likely.size() == 2);
  CHECK(answer.tokens[0].likely[0].text == " joy");
  CHECK(answer.tokens[0].likely[1].logprob == -2.0);
  CHECK(answer.finish_reason == "stop");
  CHECK(answer.n_prompt_tokens == 12);
  CHECK(answer.n_completion_tokens == 3);
}

TEST_CASE("Log-probabilities of chats are read with their bytes", "[server]") {
  const json likely = {{{"token", "\u00e4"}, {"bytes", {0xC3, 0xA4}}, {"logprob", -0.1}}};
  const json content = {
      {{"token", "?"}, {"bytes", {0xC3}}, {"logprob", -0.1}, {"top_logprobs", likely}},
      {{"token", "?"}, {"bytes", {0xA4}}, {"logprob", 0.001}, {"top_logprobs", json::array()}}};
  const json reply = {{"choices",
                       {{{"message", {{"role", "assistant"}, {"content", "\u00e4"}}},
                         {"logprobs", {{"content", content}}}}}}};
  Question question;
  question.messages = {{"user", "?"}};
  const TextAnswer answer = read(reply, question);
  CHECK(texts_of(answer) == std::vector<std::string>{"\xC3", "\xA4"});
  CHECK(answer.tokens[0].likely[0].text == "\u00e4");
  CHECK(answer.tokens[1].logprob == 0.0);  // rounded by the server
  CHECK(answer.n_completion_tokens == 2);  // counted here, where the server does not say
}

TEST_CASE("Tokens are made the parts of the answer that they stand for", "[server]") {
  SECTION("of which some are parts of a character") {
    CHECK(texts_of(read(completion("a\u4e2db", {"a", "\uFFFD", "\uFFFD", "b"}))) ==
          std::vector<std::string>{"a", "\u4e2d", "", "b"});
    CHECK(texts_of(read(completion("a\u4e2d", {"a", "", ""}))) ==
          std::vector<std::string>{"a", "\u4e2d"});
  }
  SECTION("of which the last ones are not in it") {
    CHECK(texts_of(read(completion("joy", {"joy", "\n", "Input", ":"}))) ==
          std::vector<std::string>{"joy"});
    CHECK(texts_of(read(completion("joy\n", {"joy", "\n\n", "Input"}))) ==
          std::vector<std::string>{"joy", "\n"});
    CHECK(texts_of(read(completion("", {"<|end|>"}))).empty());
  }
  SECTION("of which some are missing") {
    CHECK(texts_of(read(completion("joy, love", {"joy"}))) ==
          std::vector<std::string>{"joy, love"});
  }
}

TEST_CASE("A reply that is no answer is said with its place", "[server]") {
  const auto fault = [](const json& reply) { return message_of<ModelError>([&] { read(reply); }); };
  json reply = completion("joy", {"joy"});
  CHECK_THAT(fault(json::object()), ContainsSubstring("address: key 'choices'"));
  CHECK_THAT(fault({{"choices", json::array()}}),
             ContainsSubstring("expected one choice, found 0"));
  SECTION("no log-probabilities") {
    reply["choices"][0]["logprobs"] = nullptr;
    CHECK_THAT(fault(reply), ContainsSubstring("key 'choices[0]'") &&
                                 ContainsSubstring("expected log-probabilities in 'logprobs'"));
  }
  SECTION("a text that is none") {
    reply["choices"][0]["text"] = 3;
    CHECK_THAT(fault(reply), ContainsSubstring("key 'choices[0].text'"));
  }
  SECTION("lists of different lengths") {
    reply["choices"][0]["logprobs"]["token_logprobs"].push_back(-1);
    CHECK_THAT(fault(reply),
               ContainsSubstring("'choices[0].logprobs.token_logprobs'") &&
                   ContainsSubstring("expected 1 entries, one for each token, found 2"));
  }
  SECTION("a probability above 1") {
    reply["choices"][0]["logprobs"]["token_logprobs"][0] = 0.5;
    CHECK_THAT(fault(reply), ContainsSubstring("expected a log-probability, 0 at most"));
  }
  SECTION("a count that is none") {
    reply["usage"]["prompt_tokens"] = -1;
    CHECK_THAT(fault(reply), ContainsSubstring("key 'usage.prompt_tokens'"));
  }
}
