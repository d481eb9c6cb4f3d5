#include "server/dialect.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/core/limits.h"

namespace labelprobe::server {

namespace {

struct Known {
  const char* owner;  // "owned_by" in the list of models
  Software software;
  const char* name;
};
constexpr Known kKnown[] = {{"vllm", Software::Vllm, "vLLM"},
                            {"llamacpp", Software::LlamaCpp, "llama.cpp"},
                            {"me", Software::LlamaCppPython, "llama-cpp-python"},
                            {"openai", Software::OpenAi, "OpenAI"},
                            {"system", Software::OpenAi, "OpenAI"}};

std::string text_of(const files::JsonView& entry, std::string_view key) {
  const files::JsonView value = entry.find(key);
  return value.is_null() ? "" : value.string();
}

// vLLM says it of the model, llama.cpp in its "meta", as what the model was trained for.
int max_context_of(const files::JsonView& entry) {
  if (entry.has("max_model_len")) {
    return static_cast<int>(entry.at("max_model_len").integer(0, limits::kReplyContext));
  }
  const files::JsonView meta = entry.find("meta");
  return !meta.is_null() && meta.has("n_ctx_train")
             ? static_cast<int>(meta.at("n_ctx_train").integer(0, limits::kReplyContext))
             : 0;
}

Dialect dialect_of(const files::JsonView& entry) {
  Dialect dialect;
  Capabilities& can = dialect.capabilities;
  can.software = "a server";
  const std::string owner = text_of(entry, "owned_by");
  for (const Known& known : kKnown) {
    if (owner == known.owner) {
      dialect.software = known.software;
      can.software = known.name;
    }
  }
  can.model = entry.at("id").string();
  can.max_context = max_context_of(entry);
  Fingerprint fingerprint;
  fingerprint.add(can.model);
  fingerprint.add(owner);
  fingerprint.add(text_of(entry, "root"));
  const files::JsonView meta = entry.find("meta");
  for (const char* key : {"n_params", "size", "n_vocab"}) {  // not since when it is there
    const bool is_there = !meta.is_null() && meta.has(key);
    fingerprint.add(is_there ? meta.at(key).value().dump() : "");
  }
  can.fingerprint = fingerprint.hex();
  return dialect;
}

std::string without_version(std::string address) {
  if (address.ends_with("/v1")) address.resize(address.size() - 3);
  return address;
}

// Servers made with FastAPI describe their requests, unless they are told not to.
bool describes(Client& client, const Dialect& dialect, std::string_view field) {
  try {
    const std::string description = client.get(dialect.root + "/openapi.json").value().dump();
    return description.find(fmt::format("\"{}\"", field)) != std::string::npos;
  } catch (const NoAnswer&) {
    return false;
  }
}

void add_chat(const Question& question, const Wanted& wanted, nlohmann::json& body) {
  nlohmann::json& messages = body["messages"] = nlohmann::json::array();
  for (const Message& message : question.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  body["logprobs"] = true;
  body["top_logprobs"] = wanted.n_top;
}

}  // namespace

Dialect read_models(const files::JsonView& reply, const Options& options) {
  std::vector<files::JsonView> entries;
  std::vector<std::string> names;
  for (const files::JsonView& entry : reply.at("data").items()) {
    entries.push_back(entry);
    names.push_back(entry.at("id").string());
  }
  if (options.served_model.empty() && names.size() != 1) {
    throw ConfigError(fmt::format("{} serves {} models: expected --served-model with one of: {}",
                                  options.address, names.size(), fmt::join(names, ", ")));
  }
  const std::string& wanted = options.served_model.empty() ? names.front() : options.served_model;
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end()) {
    throw ConfigError(options.address + ": " + unknown_choice("served model", wanted, names));
  }
  Dialect dialect = dialect_of(entries[static_cast<std::size_t>(found - names.begin())]);
  dialect.root = without_version(options.address);
  return dialect;
}

Dialect identify(Client& client, const Options& options) {
  try {
    Dialect dialect = read_models(client.get(options.address + "/models"), options);
    dialect.capabilities.takes_token_ids =
        dialect.software == Software::Vllm && describes(client, dialect, "logprob_token_ids");
    return dialect;
  } catch (const NoAnswer& error) {
    throw ModelError(
        fmt::format("{}; expected a server with OpenAI's interface, whose address "
                    "mostly ends in /v1",
                    error.what()));
  }
}

std::string address_for(const Question& question, const Options& options) {
  return options.address + (question.messages.empty() ? "/completions" : "/chat/completions");
}

nlohmann::json body_of(const Question& question,
                       const Wanted& wanted,
                       const Options& options,
                       const Dialect& dialect) {
  nlohmann::json body = {{"model", dialect.capabilities.model}, {"temperature", 0}};
  if (question.messages.empty()) {
    body["prompt"] = question.prompt;
    body["logprobs"] = wanted.n_top;
  } else {
    add_chat(question, wanted, body);
  }
  const Software software = dialect.software;
  // OpenAI's newer chat models take the one name only, other servers the other.
  const bool is_new_name = software == Software::OpenAi && !question.messages.empty();
  body[is_new_name ? "max_completion_tokens" : "max_tokens"] = question.max_new_tokens;
  if (!wanted.stops.empty()) body["stop"] = wanted.stops;
  if (dialect.capabilities.takes_token_ids && !wanted.token_ids.empty()) {
    body["logprob_token_ids"] = wanted.token_ids;
  }
  if (software == Software::LlamaCpp || software == Software::LlamaCppPython) {
    // Its own is 1.1 in some versions, where nobody has asked for any.
    body["repeat_penalty"] = wanted.repetition_penalty.value_or(1.0);
    if (software == Software::LlamaCpp && question.messages.empty()) body["n_probs"] = wanted.n_top;
  } else if (wanted.repetition_penalty) {
    if (software != Software::Vllm) {
      throw ConfigError(
          fmt::format("{} is {}: expected no --repetition-penalty, which only vLLM "
                      "and llama.cpp have",
                      options.address, dialect.capabilities.software));
    }
    body["repetition_penalty"] = *wanted.repetition_penalty;
  }
  return body;
}

}  // namespace labelprobe::server
