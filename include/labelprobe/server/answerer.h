// The text door to a model: what can be asked of one of which only texts and log-probabilities are
// seen. The other door is that of tokens, model/language_model.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace labelprobe::server {

struct Message {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

struct Question {
  std::string prompt;             // a text to go on with
  std::vector<Message> messages;  // in its place: a chat to answer; empty = none
  int max_new_tokens = 1;
};

// How all questions of a call are to be answered: greedily.
struct Wanted {
  int n_top = 20;                            // log-probabilities of so many tokens at each step
  std::vector<std::string> stops;            // texts that end an answer, and are left out of it
  std::optional<double> repetition_penalty;  // in place of the server's own; unset = that
  // Tokens whose log-probabilities are wanted in place of the likeliest ones' where
  // Capabilities::takes_token_ids; empty = the likeliest.
  std::vector<std::int64_t> token_ids;
};

struct LikelyText {
  std::string text;      // bytes of one token; a part of a character may be U+FFFD
  double logprob = 0.0;  // natural log of its probability in the whole vocabulary
};

struct AnswerToken {
  std::string text;
  double logprob = 0.0;
  std::vector<LikelyText> likely;  // largest first; with the token itself, if the server gives it
};

struct TextAnswer {
  std::string text;                  // without the stop text
  std::vector<AnswerToken> tokens;   // their texts make up `text`
  std::string finish_reason;         // "stop", "length" or what the server says
  std::int64_t n_prompt_tokens = 0;  // as the server counts them; 0 = it does not say
  std::int64_t n_completion_tokens = 0;
  // Set when there is no answer: refused, malformed or never come. Everything else is then empty.
  std::optional<std::string> failure;
};

// A token of a text, with its id at the server.
struct Piece {
  std::int64_t id = 0;
  std::string text;  // its bytes
};

struct Capabilities {
  std::string software;  // "vLLM", "llama.cpp", "llama-cpp-python", "OpenAI", "a server"
  std::string model;     // its name there
  int max_context = 0;   // tokens; 0 = not said
  // Equal as long as the server says the same of the model: name, owner, size.
  std::string fingerprint;
  bool takes_token_ids = false;  // see Wanted::token_ids
};

// Called from the thread of the call, in the order in which answers come. The answer may be moved
// from. An exception thrown here ends the call and passes through.
using AnswerSink = std::function<void(std::size_t question, TextAnswer& answer)>;

class Answerer {
 public:
  virtual ~Answerer() = default;

  // Answers every question once, several at a time. Questions that get no answer are reported as
  // failures. Throws ModelError if it is of no use to go on: the key or the name of the model is
  // refused, or one question after the other gets no answer.
  virtual void answer(std::span<const Question> questions,
                      const Wanted& wanted,
                      const AnswerSink& sink) = 0;

  // The tokens of a text, in its order; unset if the server does not say. Those that it puts before
  // a text are left out.
  virtual std::optional<std::vector<Piece>> tokenize(const std::string& text) = 0;

  virtual const Capabilities& can() const = 0;
};

}  // namespace labelprobe::server
