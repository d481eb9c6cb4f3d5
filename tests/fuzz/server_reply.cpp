// What a server answers to a question, and to those about its models and tokens.
#include "labelprobe/files/json.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"
#include "server/dialect.h"
#include "server/reply.h"
#include "server/tokens.h"

namespace labelprobe::fuzz {

void server_reply(std::string_view input) {
  const auto reply = files::parse_json(input, {.name = "address", .error = ErrorKind::Model});
  server::Options options;
  options.served_model = "x";
  attempt([&] { keep(server::read_models(reply, options).capabilities.model.size()); });
  attempt([&] { keep(server::read_pieces(reply).size()); });
  server::Question chat;
  chat.messages = {{"user", "Input"}};
  server::Question text;
  text.prompt = "Input";
  for (const server::Question& question : {text, chat}) {
    attempt([&] {
      const server::TextAnswer answer = server::read_reply(reply, question);
      for (const server::AnswerToken& token : answer.tokens) keep(token.likely.size());
    });
  }
}

}  // namespace labelprobe::fuzz
