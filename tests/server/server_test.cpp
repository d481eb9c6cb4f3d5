// The text door against a server whose replies are written here: what is tried again, what is not,
// and what is said.
#include <atomic>
#include <cstdlib>

#include "labelprobe/server/answerer.h"
#include "labelprobe/server/open.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/scripted_server.h"

using labelprobe::ConfigError;
using labelprobe::ModelError;
using labelprobe::server::Options;
using labelprobe::server::Question;
using labelprobe::server::TextAnswer;
using labelprobe::server::Wanted;
using labelprobe::support::message_of;
using labelprobe::support::ScriptedReply;
using labelprobe::support::ScriptedRequest;
using labelprobe::support::ScriptedServer;
using nlohmann::json;

namespace {

ScriptedReply models(const std::string& owner = "vllm",
                     const std::vector<std::string>& ids = {"m"}) {
  json data = json::array();
  for (const std::string& id : ids) data.push_back({{"id", id}, {"owned_by", owner}});
  return {.body = json{{"data", data}}.dump()};
}

// Says the prompt again.
ScriptedReply echo(const ScriptedRequest& request) {
  if (request.body.empty()) return {.status = 404, .body = "no such page"};
  const json asked = json::parse(request.body);
  const bool is_chat = asked.contains("messages");
  const std::string text =
      (is_chat ? asked["messages"].back()["content"] : asked["prompt"]).get<std::string>();
  const json tops = {{{"token", text}, {"logprob", -0.1}}};
  const json content = {{{"token", text}, {"logprob", -0.1}, {"top_logprobs", tops}}};
  json choice = {{"finish_reason", "stop"}, {"logprobs", {{"content", content}}}};
  if (is_chat) {
    choice["message"] = {{"role", "assistant"}, {"content", text}};
  } else {
    choice["text"] = text;
  }
  return {.body = json{{"choices", {choice}},
                       {"usage", {{"prompt_tokens", 1}, {"completion_tokens", 1}}}}
                      .dump()};
}

// A server that has a model and answers questions with `script`.
ScriptedServer::Script with_models(ScriptedServer::Script script) {
  return [script = std::move(script)](const ScriptedRequest& request) {
    if (request.path == "/v1/models") return models();
    return request.body.empty() ? echo(request) : script(request);
  };
}

Options quick(const ScriptedServer& server) {
  Options options;
  options.address = server.address();
  options.max_concurrent = 1;
  options.timeout_seconds = 5;
  options.n_attempts = 3;
  options.first_wait_seconds = 0.001;
  return options;
}

std::vector<TextAnswer> ask(const Options& options, const std::vector<std::string>& prompts) {
  std::vector<Question> questions;
  for (const std::string& prompt : prompts) questions.push_back({.prompt = prompt, .messages = {}});
  std::vector<TextAnswer> answers(prompts.size());
  labelprobe::server::open(options)->answer(
      questions, Wanted{},
      [&](std::size_t i, TextAnswer& answer) { answers[i] = std::move(answer); });
  return answers;
}

std::size_t n_questions(const ScriptedServer& server) {
  std::size_t n = 0;
  for (const ScriptedRequest& request : server.requests()) n += request.body.empty() ? 0 : 1;
  return n;
}

}  // namespace

TEST_CASE("Every question is answered once, several at a time", "[server]") {
  const ScriptedServer server(with_models(echo));
  Options options = quick(server);
  options.max_concurrent = 4;
  std::vector<std::string> prompts;
  for (int i = 0; i < 40; ++i) prompts.push_back("prompt " + std::to_string(i));
  const std::vector<TextAnswer> answers = ask(options, prompts);
  for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(answers[i].text == prompts[i]);
  CHECK(n_questions(server) == 40);
}

TEST_CASE("What may pass is tried again", "[server]") {
  std::atomic<int> n = 0;
  const auto once = [&](ScriptedReply reply) {
    return [&n, reply](const ScriptedRequest& request) { return n++ == 0 ? reply : echo(request); };
  };
  const auto status = GENERATE(408, 429, 500, 502, 503, 504);
  SECTION("statuses") {
    const ScriptedServer server(with_models(once({.status = status, .body = "{}"})));
    CHECK(ask(quick(server), {"a"})[0].text == "a");
    CHECK(n_questions(server) == 2);
  }
  if (status != 408) return;  // once is enough for the others
  SECTION("cut connections") {
    const ScriptedServer server(
        with_models(once({.body = std::string(1000, ' '), .is_cut = true})));
    CHECK(ask(quick(server), {"a"})[0].text == "a");
  }
  SECTION("slow answers") {
    const ScriptedServer server(
        with_models(once({.body = "{}", .delay = std::chrono::milliseconds(300)})));
    Options options = quick(server);
    options.timeout_seconds = 0.1;
    CHECK(ask(options, {"a"})[0].text == "a");
  }
  SECTION("and waited for as long as the server asks") {
    const ScriptedServer server(
        with_models(once({.status = 429, .body = "{}", .headers = {"Retry-After: 0.1"}})));
    const auto start = std::chrono::steady_clock::now();
    CHECK(ask(quick(server), {"a"})[0].text == "a");
    CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(90));
  }
}

TEST_CASE("A question without an answer fails alone", "[server]") {
  const auto fails_for_b = [](ScriptedReply reply) {
    return with_models([reply](const ScriptedRequest& request) {
      return json::parse(request.body)["prompt"] == "b" ? reply : echo(request);
    });
  };
  const auto failure_of = [&](const ScriptedReply& reply) {
    const ScriptedServer server(fails_for_b(reply));
    const std::vector<TextAnswer> answers = ask(quick(server), {"a", "b", "c"});
    CHECK(answers[0].text == "a");
    CHECK(answers[2].text == "c");
    return answers[1].failure.value_or("none");
  };
  CHECK_THAT(failure_of({.status = 500, .body = R"({"error": {"message": "no memory"}})"}),
             ContainsSubstring("/v1/completions: status 500: no memory (attempt 3)"));
  CHECK_THAT(failure_of({.status = 400, .body = R"({"detail": "too long"})"}),
             ContainsSubstring("status 400: too long"));
  CHECK_THAT(failure_of({.body = "{\"choices\": ["}), ContainsSubstring("/v1/completions"));
  CHECK_THAT(failure_of({.body = std::string(100, '[') + std::string(100, ']')}),
             ContainsSubstring("/v1/completions"));
  CHECK_THAT(failure_of({.body = "{}"}), ContainsSubstring("key 'choices'"));
}

TEST_CASE("A server that is of no use is not asked again and again", "[server]") {
  SECTION("it refuses the key") {
    const ScriptedServer server(with_models([](const ScriptedRequest&) {
      return ScriptedReply{.status = 401, .body = R"({"error": "no key"})"};
    }));
    CHECK_THAT(message_of<ModelError>([&] {
                 ask(quick(server), {"a", "b", "c"});
               }),
               ContainsSubstring("status 401: no key; give the key in OPENAI_API_KEY or in .env"));
    CHECK(n_questions(server) == 1);
  }
  SECTION("it answers nothing") {
    const ScriptedServer server(with_models(
        [](const ScriptedRequest&) { return ScriptedReply{.status = 503, .body = "busy"}; }));
    CHECK_THAT(
        message_of<ModelError>([&] { ask(quick(server), std::vector<std::string>(20, "a")); }),
        ContainsSubstring("5 questions in a row got no answer") && ContainsSubstring("busy"));
    CHECK(n_questions(server) < 20 * 3);
  }
  SECTION("it has no such interface") {
    const ScriptedServer server(
        [](const ScriptedRequest&) { return ScriptedReply{.status = 404, .body = "<html>"}; });
    CHECK_THAT(message_of<ModelError>([&] { ask(quick(server), {"a"}); }),
               ContainsSubstring("/v1/models: status 404") && ContainsSubstring("ends in /v1"));
  }
  SECTION("it leads elsewhere, and the key is not taken there") {
    const ScriptedServer server([](const ScriptedRequest&) {
      return ScriptedReply{.status = 301, .body = "", .headers = {"Location: http://127.0.0.1:1/"}};
    });
    CHECK_THAT(message_of<ModelError>([&] { ask(quick(server), {"a"}); }),
               ContainsSubstring("status 301") && ContainsSubstring("name the address"));
  }
  SECTION("it is not there") {
    std::string address;
    Options options;
    {
      const ScriptedServer server(with_models(echo));
      options = quick(server);
    }
    CHECK_THAT(message_of<ModelError>([&] { ask(options, {"a"}); }),
               ContainsSubstring(options.address + "/models: Couldn't connect"));
  }
}

TEST_CASE("The key is sent and never said", "[server]") {
  ::setenv("OPENAI_API_KEY", "sk-secret", 1);
  const ScriptedServer server([](const ScriptedRequest& request) {
    return ScriptedReply{.status = 401, .body = "not " + request.headers};
  });
  const std::string message = message_of<ModelError>([&] { ask(quick(server), {"a"}); });
  ::unsetenv("OPENAI_API_KEY");
  CHECK_THAT(server.requests().front().headers,
             ContainsSubstring("Authorization: Bearer sk-secret"));
  CHECK_THAT(message, ContainsSubstring("Bearer [key]") && !ContainsSubstring("sk-secret"));
}

TEST_CASE("The model that is meant is one that the server has", "[server]") {
  const ScriptedServer server([](const ScriptedRequest& request) {
    return request.path == "/v1/models" ? models("vllm", {"small", "large"}) : echo(request);
  });
  Options options = quick(server);
  CHECK_THAT(
      message_of<ConfigError>([&] { labelprobe::server::open(options); }),
      ContainsSubstring("serves 2 models: expected --served-model with one of: small, large"));
  options.served_model = "smal";
  CHECK_THAT(message_of<ConfigError>([&] { labelprobe::server::open(options); }),
             ContainsSubstring("unknown served model 'smal'; did you mean 'small'?"));
  options.served_model = "large";
  options.address += "/";
  ask(options, {"a"});
  CHECK(json::parse(server.requests().back().body)["model"] == "large");
  CHECK(server.requests().back().path == "/v1/completions");
}

TEST_CASE("Each software is asked in its own words", "[server]") {
  const auto body_for = [](const std::string& owner, Question question, const Wanted& wanted) {
    const ScriptedServer server([&](const ScriptedRequest& request) {
      return request.path == "/v1/models" ? models(owner) : echo(request);
    });
    labelprobe::server::open(quick(server))
        ->answer(std::span(&question, 1), wanted,
                 [](std::size_t, TextAnswer& answer) { CHECK(answer.failure == std::nullopt); });
    return json::parse(server.requests().back().body);
  };
  const Question text = {.prompt = "p", .messages = {}, .max_new_tokens = 7};
  const Question chat = {.prompt = "", .messages = {{"user", "p"}}, .max_new_tokens = 7};
  const Wanted wanted = {.n_top = 3, .stops = {"Input:"}, .repetition_penalty = {}};
  CHECK(body_for("vllm", text, wanted) == json({{"model", "m"},
                                                {"prompt", "p"},
                                                {"temperature", 0},
                                                {"max_tokens", 7},
                                                {"logprobs", 3},
                                                {"stop", {"Input:"}}}));
  CHECK(body_for("openai", chat, {}) == json({{"model", "m"},
                                              {"messages", {{{"role", "user"}, {"content", "p"}}}},
                                              {"temperature", 0},
                                              {"max_completion_tokens", 7},
                                              {"logprobs", true},
                                              {"top_logprobs", 20}}));
  CHECK(body_for("llamacpp", text, wanted)["n_probs"] == 3);
  CHECK(body_for("me", text, wanted)["repeat_penalty"] == 1.0);
  Wanted penalized = wanted;
  penalized.repetition_penalty = 1.05;
  CHECK(body_for("vllm", text, penalized)["repetition_penalty"] == 1.05);
  CHECK(body_for("llamacpp", text, penalized)["repeat_penalty"] == 1.05);
}

TEST_CASE("An address is one without a user, a password and a query", "[server]") {
  const auto fault = [](const std::string& address) {
    Options options;
    options.address = address;
    return message_of<ConfigError>([&] { labelprobe::server::open(options); });
  };
  CHECK_THAT(fault("http://user:secret@host/v1"),
             ContainsSubstring("expected no user and no password") && !ContainsSubstring("secret"));
  CHECK_THAT(fault("http:///v1"), ContainsSubstring("expected an address like"));
  CHECK_THAT(fault("http://host/v1?key=1"), ContainsSubstring("expected an address like"));
}
