// Who a server is, by what it says of itself, and what of the interface's extensions it has.
// Sources: docs.vllm.ai (OpenAI-compatible server), llama.cpp's tools/server/README.md, the request
// types of llama_cpp/server/types.py, platform.openai.com/docs/api-reference.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "labelprobe/server/answerer.h"
#include "labelprobe/server/open.h"

#include "server/client.h"

namespace labelprobe::server {

enum class Software { Unknown, Vllm, LlamaCpp, LlamaCppPython, OpenAi };

struct Dialect {
  Software software = Software::Unknown;
  Capabilities capabilities;
  std::string root;  // the address without /v1: where extensions are
};

// What a server's list of models says, but for what it does not say there: how tokens are asked
// for. Throws as identify().
Dialect read_models(const files::JsonView& reply, const Options& options);

// Asks for the list of models, and finds the one that is meant. Throws ConfigError if it is not
// there or cannot be told, ModelError if no such list comes.
Dialect identify(Client& client, const Options& options);

// The address and the body of the request that asks a question. Throws ConfigError if the server
// has no repetition penalty and one is wanted.
std::string address_for(const Question& question, const Options& options);
nlohmann::json body_of(const Question& question,
                       const Wanted& wanted,
                       const Options& options,
                       const Dialect& dialect);

}  // namespace labelprobe::server
