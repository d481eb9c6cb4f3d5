// The program with a model behind a server whose replies are written here.
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "support/catch.h"
#include "support/program.h"
#include "support/scripted_server.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::ScriptedReply;
using support::ScriptedRequest;
using support::ScriptedServer;
using support::TempFolder;

constexpr double kJoy = 0.5;
constexpr double kAnger = 0.25;

json token(const std::string& text, const std::vector<std::pair<std::string, double>>& likely) {
  json tops = json::array();
  for (const auto& [of, prob] : likely) {
    tops.push_back({{"token", of}, {"logprob", std::log(prob)}});
  }
  return {{"token", text}, {"logprob", std::log(likely.front().second)}, {"top_logprobs", tops}};
}

// {"label": ["joy"]} after a beginning that the prompts do not have; in chats and in completions.
ScriptedReply answer_joy(const ScriptedRequest& request) {
  const bool is_chat = request.path == "/v1/chat/completions";
  const std::vector<json> tokens = {
      token("{\"label\": [\"", {{"{\"label\": [\"", 0.9}}),
      token("jo", {{"jo", kJoy}, {"anger", kAnger}, {"the", 0.125}, {"x", 0.0625}}),
      token("y", {{"y", 1.0}}), token("\"]}", {{"\"]}", 0.75}})};
  json choice = {{"finish_reason", "stop"}, {"logprobs", {{"content", tokens}}}};
  const std::string text = "{\"label\": [\"joy\"]}";
  if (is_chat) {
    choice["message"] = {{"content", text}};
  } else {
    choice["text"] = text;
  }
  return {.body = json{{"choices", {choice}},
                       {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 4}}}}
                      .dump()};
}

ScriptedReply answer_reasonable(const ScriptedRequest& request) {
  const std::string prompt = json::parse(request.body)["prompt"];
  const std::string word = prompt.ends_with(' ') ? "reason" : " reason";
  const std::vector<json> tokens = {token(word, {{word, 0.5}, {"un", 0.25}, {" un", 0.125}}),
                                    token("able", {{"able", 1.0}})};
  const json choice = {{"text", word + "able"}, {"logprobs", {{"content", tokens}}}};
  return {.body = json{{"choices", {choice}}}.dump()};
}

ScriptedServer::Script serving(ScriptedServer::Script script) {
  return [script = std::move(script)](const ScriptedRequest& request) -> ScriptedReply {
    if (request.path != "/v1/models") return script(request);
    return {.body = R"({"data": [{"id": "org/model", "owned_by": "somebody"}]})"};
  };
}

std::vector<std::string> arguments(const ScriptedServer& server,
                                   const fs::path& logs,
                                   const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {"run",
                                  "GoEmotions",
                                  "--config",
                                  "configs/example/config.yaml",
                                  "--model-name-or-path",
                                  server.address(),
                                  "--log-root",
                                  logs.string(),
                                  "--alternative-experiment-name",
                                  "served",
                                  "--limit",
                                  "4",
                                  "--attempts",
                                  "2",
                                  "--retry-wait",
                                  "0.001"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::size_t n_questions(const ScriptedServer& server) {
  std::size_t n = 0;
  for (const ScriptedRequest& request : server.requests()) n += request.body.empty() ? 0 : 1;
  return n;
}

}  // namespace

TEST_CASE("A server's answers are logged as a local model's, with bounds", "[e2e]") {
  const ScriptedServer server(serving(answer_joy));
  const TempFolder logs;
  const ProgramResult result = run_program(arguments(server, logs.path()));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const fs::path folder = logs.path() / "GoEmotionsOpenAI" / "served_0";
  CHECK(result.out == folder.string() + "\n");
  const record::LoggedRun run = record::read_run(folder);
  REQUIRE(run.items.size() == 4);
  for (const record::ItemRecord& item : run.items) {
    CHECK(item.predictions == std::vector<std::string>{"joy"});
    CHECK(item.outs == "{\"label\": [\"joy\"]}");
    REQUIRE(item.label_steps.size() == 1);
    CHECK(item.label_steps[0].log_sum_exp == 0.0F);
    for (const auto& [label, prob] : record::label_probs(item.label_steps[0])) {
      const double expected = label == "joy" ? 2.0 / 3 : label == "anger" ? 1.0 / 3 : 0;
      CHECK(prob == Approx(expected));
    }
    REQUIRE(item.readouts.size() == 1);
    const record::ReadoutValues& bounds = item.readouts[0];
    CHECK(bounds.name == "top_logprobs");
    for (const auto& [label, upper] : bounds.upper) {
      // Unseen: 0.0625 at most, and all of them together; so much is left of the vocabulary.
      const double expected = label == "joy"     ? 2.0 / 3
                              : label == "anger" ? 1.0 / 3
                                                 : 0.0625 / (0.75 + 0.0625);
      CHECK(upper == Approx(expected));
    }
    for (const auto& [label, lower] : bounds.lower) {
      const double expected = label == "joy" ? kJoy : label == "anger" ? kAnger : 0;
      CHECK(lower == Approx(expected / (0.75 + 0.0625)));
    }
    CHECK(*bounds.unexplored == Approx(0.0625));
  }
  CHECK(read_file(folder / "tokens.yml") ==
        "experiment_0:\n  completion_tokens: 16\n  prompt_tokens: 400\n");
  CHECK_THAT(read_file(folder / "params.yml"), ContainsSubstring("model_name_or_path: org/model"));

  SECTION("and are not asked for twice") {
    const ProgramResult again = run_program(arguments(server, logs.path()));
    CHECK(again.exit_code == 0);
    CHECK(n_questions(server) == 4);
  }
}

TEST_CASE("What a server did not answer is asked again by the same command", "[e2e]") {
  std::string failing;  // the prompt that gets no answer
  bool is_well = false;
  const ScriptedServer server(serving([&](const ScriptedRequest& request) {
    const std::string prompt = json::parse(request.body)["prompt"];
    if (failing.empty()) failing = prompt;
    return prompt != failing || is_well ? answer_joy(request)
                                        : ScriptedReply{.body = "{\"choices\": 3}"};
  }));
  const TempFolder logs;
  const fs::path folder = logs.path() / "GoEmotionsOpenAI" / "served_0";
  const ProgramResult first = run_program(arguments(server, logs.path()));
  CHECK(first.exit_code == 1);
  CHECK_THAT(first.err, ContainsSubstring("1 of 4 questions got no answer, the first: " +
                                          server.address() + "/completions: key 'choices'") &&
                            ContainsSubstring("the same command asks them again"));
  CHECK_FALSE(fs::exists(folder / "indexed_metrics.yml"));
  CHECK(n_questions(server) == 4);
  SECTION("until it is answered") {
    is_well = true;
    const ProgramResult second = run_program(arguments(server, logs.path()));
    INFO(second.err);
    CHECK(second.exit_code == 0);
    CHECK(n_questions(server) == 5);
    CHECK(record::read_run(folder).items.size() == 4);
    CHECK(read_file(folder / "tokens.yml") ==
          "experiment_0:\n  completion_tokens: 16\n  prompt_tokens: 400\n");
  }
  SECTION("or left as failed") {
    const ProgramResult second = run_program(arguments(server, logs.path(), {"--keep-failed"}));
    CHECK(second.exit_code == 1);
    CHECK(n_questions(server) == 4);
    CHECK_THAT(read_file(folder / "indexed_metrics.yml"), ContainsSubstring("test_failure"));
    // The log is replaced by one as if nothing had failed.
    const ProgramResult third = run_program(arguments(server, logs.path(), {"--retry-failed"}));
    CHECK(third.exit_code == 1);
    CHECK(n_questions(server) == 5);
    is_well = true;
    const ProgramResult fourth = run_program(arguments(server, logs.path(), {"--retry-failed"}));
    INFO(fourth.err);
    CHECK(fourth.exit_code == 0);
    CHECK(n_questions(server) == 6);
    const TempFolder others;
    REQUIRE(run_program(arguments(server, others.path())).exit_code == 0);
    CHECK(read_file(folder / "indexed_metrics.yml") ==
          read_file(others.path() / "GoEmotionsOpenAI" / "served_0" / "indexed_metrics.yml"));
  }
}

TEST_CASE("Answer words are read at both places", "[e2e]") {
  const ScriptedServer server(serving(answer_reasonable));
  const TempFolder logs;
  const ProgramResult result =
      run_program(arguments(server, logs.path(), {"--distribution", "unary"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const record::LoggedRun run = record::read_run(logs.path() / "GoEmotionsOpenAI" / "served_0");
  REQUIRE(!run.items.empty());
  CHECK(n_questions(server) == 2 * run.items.size());
  const record::ItemRecord& item = run.items[0];
  CHECK(item.predictions == std::vector<std::string>{"reasonable"});
  CHECK(item.first_answer->bare_probs[0].second == Approx(0.5));
  CHECK(item.first_answer->spaced_probs[1].second == Approx(0.125));
  CHECK(item.first_answer->is_top);
  CHECK(item.healed_answer->spaced_probs[0].second == Approx(0.5));
  REQUIRE(item.readouts.size() == 3);
  CHECK(item.readouts[1].place == record::ReadoutPlace::First);
  CHECK(item.readouts[1].probs[1].second == Approx(0.375 / 0.875));
  CHECK(item.readouts[2].place == record::ReadoutPlace::Healed);
}

TEST_CASE("Prompts are sent as messages where that is asked for", "[e2e]") {
  const ScriptedServer server(serving(answer_joy));
  const TempFolder logs;
  SECTION("as one, behind the instruction") {
    const ProgramResult result = run_program(
        arguments(server, logs.path(), {"--endpoint", "chat", "--use-system-prompt", "true"}));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const json messages = json::parse(server.requests().back().body)["messages"];
    REQUIRE(messages.size() == 2);
    CHECK(messages[0]["role"] == "system");
    CHECK_THAT(messages[1]["content"].get<std::string>(),
               ContainsSubstring(messages[0]["content"].get<std::string>()));
  }
  SECTION("as a chat with demonstrations") {
    const ProgramResult result =
        run_program(arguments(server, logs.path(),
                              {"--prompt-mode", "chat", "--user-prompt", "Input: {text}\n",
                               "--assistant-prompt", "{label}", "--shot", "2"}));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const json messages = json::parse(server.requests().back().body)["messages"];
    std::vector<std::string> roles;
    for (const json& message : messages) roles.push_back(message["role"]);
    roles.erase(roles.begin(), roles.end() - 5);
    CHECK(roles == std::vector<std::string>{"user", "assistant", "user", "assistant", "user"});
  }
}

TEST_CASE("A dry run says what a server would be asked for", "[e2e]") {
  const ScriptedServer server(serving(answer_joy));
  const TempFolder logs;
  const ProgramResult result =
      run_program(arguments(server, logs.path(), {"--dry-run", "--token-prices", "1,2"}));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out,
             ContainsSubstring("requests 4 to a server: org/model at " + server.address()) &&
                 ContainsSubstring("they cost 0.0"));
  CHECK(n_questions(server) == 0);
}

TEST_CASE("What needs a model's files is refused by name with a server", "[e2e]") {
  const ScriptedServer server(serving(answer_joy));
  const TempFolder logs;
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--device", "cpu"},
                                             {"--model-dtype", "bfloat16"},
                                             {"--quant", "fp4"},
                                             {"--load-in-8bit"},
                                             {"--readouts", "slot_trie"},
                                             {"--hidden-states", "-1"},
                                             {"--linear-probing"},
                                             {"--attention"},
                                             {"--batch-size", "2"}}) {
    const ProgramResult result = run_program(arguments(server, logs.path(), more));
    CAPTURE(more, result.err);
    CHECK(result.exit_code == 2);
    const std::string name = more[0].substr(2, more[0].find_first_of("-", 2) - 2);
    CHECK_THAT(result.err, ContainsSubstring("for a model in files") && ContainsSubstring(name));
  }
  const ProgramResult penalty =
      run_program(arguments(server, logs.path(), {"--repetition-penalty", "1.1"}));
  CHECK(penalty.exit_code == 2);
  CHECK_THAT(penalty.err, ContainsSubstring("expected no --repetition-penalty"));
  const ProgramResult verbalized =
      run_program(arguments(server, logs.path(), {"--distribution", "verbalized"}));
  CHECK(verbalized.exit_code == 2);
  CHECK_THAT(verbalized.err, ContainsSubstring("verbalized"));
}

TEST_CASE("What is for servers is refused by name with a model in files", "[e2e]") {
  const ProgramResult result = run_program(
      {"run", "GoEmotions", "--config", "configs/example/config.yaml", "--model-name-or-path",
       support::fixture("e2e/model").string(), "--max-concurrent", "2"});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("--max-concurrent: max_concurrent is for a server"));
}

TEST_CASE("Other commands say which ones ask a server", "[e2e]") {
  const ProgramResult result =
      run_program({"tokenize", "--model-name-or-path", "http://localhost:1/v1"}, "\"a\"");
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err, ContainsSubstring("servers are asked by run, classify and assess only"));
}

TEST_CASE("The key is in no log", "[e2e]") {
  const ScriptedServer server(serving(answer_joy));
  const TempFolder logs;
  const ProgramResult result = run_program(arguments(server, logs.path(), {"--verbose"}), "",
                                           {{"OPENAI_API_KEY", "sk-secret"}});
  CHECK(result.exit_code == 0);
  CHECK_THAT(server.requests().back().headers, ContainsSubstring("Bearer sk-secret"));
  CHECK_THAT(result.err + result.out, !ContainsSubstring("sk-secret"));
  for (const auto& [name, text] : support::contents_of(logs.path())) {
    CAPTURE(name);
    CHECK_THAT(text, !ContainsSubstring("sk-secret"));
  }
}

}  // namespace labelprobe
