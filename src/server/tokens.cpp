#include "server/tokens.h"

#include <limits>
#include <utility>

#include "labelprobe/core/error.h"

namespace labelprobe::server {

namespace {

constexpr std::int64_t kMostId = std::numeric_limits<std::int32_t>::max();

// llama.cpp says a piece that is no UTF-8 as a list of its bytes.
std::string bytes_of(const files::JsonView& piece) {
  if (piece.value().is_string()) return piece.string();
  std::string bytes;
  for (const files::JsonView& byte : piece.items()) {
    bytes.push_back(static_cast<char>(byte.integer(0, 255)));
  }
  return bytes;
}

std::vector<Piece> ask_llama_cpp(Client& client, const std::string& root, const std::string& text) {
  return read_pieces(client.post(root + "/tokenize", {{"content", text}, {"with_pieces", true}}));
}

// Servers that say the ids of a text, and the text of an id.
struct TwoCalls {
  std::string tokenize;
  nlohmann::json text;  // the body of the one call
  std::string detokenize;
  nlohmann::json id;   // of the other, still without "tokens"
  const char* answer;  // where its text stands
};

std::vector<Piece> ask_twice(Client& client, const TwoCalls& calls) {
  const files::JsonView reply = client.post(calls.tokenize, calls.text);
  std::vector<Piece> pieces;
  for (const files::JsonView& token : reply.at("tokens").items()) {
    nlohmann::json body = calls.id;
    body["tokens"] = {token.integer(0, kMostId)};
    const files::JsonView of_id = client.post(calls.detokenize, body);
    pieces.push_back({token.integer(0, kMostId), of_id.at(calls.answer).string()});
  }
  return pieces;
}

// Without the tokens before the text; unset if the pieces do not make it up.
std::optional<std::vector<Piece>> within(const std::string& text, std::vector<Piece> pieces) {
  for (std::size_t first = 0; first < pieces.size(); ++first) {
    std::string spelled;
    for (std::size_t i = first; i < pieces.size(); ++i) spelled += pieces[i].text;
    if (spelled == text) {
      pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(first));
      return pieces;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<Piece> read_pieces(const files::JsonView& reply) {
  std::vector<Piece> pieces;
  for (const files::JsonView& token : reply.at("tokens").items()) {
    pieces.push_back({token.at("id").integer(0, kMostId), bytes_of(token.at("piece"))});
  }
  return pieces;
}

std::optional<std::vector<Piece>> tokenize(Client& client,
                                           const Dialect& dialect,
                                           const std::string& text) {
  const std::string& root = dialect.root;
  const std::string& model = dialect.capabilities.model;
  try {
    switch (dialect.software) {
      case Software::LlamaCpp:
        return within(text, ask_llama_cpp(client, root, text));
      case Software::LlamaCppPython:
        return within(text, ask_twice(client, {.tokenize = root + "/extras/tokenize",
                                               .text = {{"model", model}, {"input", text}},
                                               .detokenize = root + "/extras/detokenize",
                                               .id = {{"model", model}},
                                               .answer = "text"}));
      case Software::Vllm:
        return within(
            text,
            ask_twice(client,
                      {.tokenize = root + "/tokenize",
                       .text = {{"model", model}, {"prompt", text}, {"add_special_tokens", false}},
                       .detokenize = root + "/detokenize",
                       .id = {{"model", model}},
                       .answer = "prompt"}));
      case Software::Unknown:
      case Software::OpenAi:
        break;
    }
  } catch (const NoAnswer&) {
    // It has been told not to, or is of a version that does not.
  } catch (const ModelError&) {
    // Likewise.
  }
  return std::nullopt;
}

}  // namespace labelprobe::server
