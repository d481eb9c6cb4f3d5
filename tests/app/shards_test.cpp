// Runs in several shards: they end in the bytes of one process, whatever becomes of them meanwhile.
#include <algorithm>
#include <csignal>
#include <list>
#include <map>
#include <thread>

#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"
#include "support/scripted_server.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using support::log_files;
using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::StartedProgram;
using support::TempFolder;
using support::with;

std::vector<std::string> shard(const std::vector<std::string>& arguments, int i, int n) {
  return with(arguments, {"--shard", std::to_string(i) + "/" + std::to_string(n)});
}

std::string differing(const std::map<std::string, std::string>& a,
                      const std::map<std::string, std::string>& b) {
  std::string names;
  for (const auto& [name, text] : a) {
    const auto other = b.find(name);
    if (other == b.end() || other->second != text) names += name + " ";
  }
  for (const auto& [name, text] : b) names += a.contains(name) ? "" : name + " ";
  return names;
}

// The bytes that one process ends in; its logs are removed.
std::map<std::string, std::string> bytes_of_one(const std::vector<std::string>& arguments,
                                                const fs::path& logs) {
  const ProgramResult one = run_program(arguments);
  INFO(one.err);
  REQUIRE(one.exit_code == 0);
  const auto bytes = log_files(logs);
  fs::remove_all(logs);
  return bytes;
}

fs::path shards_below(const fs::path& category) {
  for (const auto& entry : fs::directory_iterator(category)) {
    if (entry.path().filename().string().find(".shards-") != std::string::npos) return entry.path();
  }
  return {};
}

void wait_for_items(const fs::path& category, const std::string& shard_name, int n_items) {
  for (int waits = 0; waits < 60'000; ++waits) {
    const fs::path shards = fs::exists(category) ? shards_below(category) : fs::path();
    const std::string text = shards.empty() ? "" : read_file(shards / shard_name / "journal.jsonl");
    if (std::count(text.begin(), text.end(), '\n') >= n_items) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("no items of " << shard_name);
}

}  // namespace

TEST_CASE("Any number of shards, in any order, ends in the bytes of one process", "[e2e]") {
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  const auto arguments = run_arguments(logs, {"--limit", "5"});
  const auto wanted = bytes_of_one(arguments, logs);
  for (const int n : {1, 2, 3, 7}) {
    CAPTURE(n);
    for (int i = n; i >= 1; --i) {
      const ProgramResult result = run_program(shard(arguments, i, n));
      INFO(result.err);
      CHECK(result.exit_code == 0);
      if (i > 1) {
        CHECK_THAT(result.err, ContainsSubstring("is finished; left: 1 (not begun)"));
        CHECK_THAT(result.out, ContainsSubstring("e2e.shards-"));
      } else {
        CHECK_THAT(result.err, ContainsSubstring(" shards are finished and merged: "));
        CHECK(result.out == (logs / "GoEmotions" / "e2e_0").string() + "\n");
      }
    }
    CHECK(differing(log_files(logs), wanted) == "");
    fs::remove_all(logs);
  }
}

TEST_CASE("Shards at the same time, one killed and one stopped, end in the same bytes", "[e2e]") {
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  const auto arguments =
      run_arguments(logs, {"--batch-size", "1", "--distribution", "unary", "--limit", "12"});
  const auto wanted = bytes_of_one(arguments, logs);
  const fs::path category = logs / "GoEmotions";
  std::list<StartedProgram> programs;
  for (int i = 1; i <= 3; ++i) programs.emplace_back(shard(arguments, i, 3));
  wait_for_items(category, "shard_1_of_3", 2);
  ::kill(programs.front().pid(), SIGKILL);
  CHECK(programs.front().finish().exit_code == 128 + SIGKILL);
  for (auto program = std::next(programs.begin()); program != programs.end(); ++program) {
    CHECK(program->finish().exit_code == 0);
  }
  const fs::path shards = shards_below(category);
  // What is there can be looked at, but is no log yet.
  CHECK_THAT(run_program({"runs", logs.string()}).err,
             ContainsSubstring("shards, 2 of 3 finished; left: 1 ("));
  CHECK_THAT(run_program({"show", shards.string(), "--items", "1"}).out,
             ContainsSubstring(": unfinished shards: 1 (") && ContainsSubstring(" of 96 items"));
  const ProgramResult compared = run_program({"compare", shards.string(), shards.string()});
  CHECK(compared.exit_code == 3);
  CHECK_THAT(compared.err, ContainsSubstring("labelprobe merge ends it"));
  const ProgramResult early = run_program({"merge", logs.string()});
  CHECK(early.exit_code == 3);
  CHECK_THAT(early.err, ContainsSubstring("2 of 3 shards are finished; left: 1 (") &&
                            ContainsSubstring("give the run's command with --shard i/3"));

  const ProgramResult stopped =
      run_program(with(shard(arguments, 1, 3), {"--time-limit", "0.05s"}));
  CHECK(stopped.exit_code == 124);
  const ProgramResult rest = run_program(shard(arguments, 1, 3));
  INFO(rest.err);
  CHECK(rest.exit_code == 0);
  CHECK_THAT(rest.err, ContainsSubstring("took up shard 1 of 3 with "));
  CHECK(differing(log_files(logs), wanted) == "");
  // What is over stays so.
  CHECK_THAT(run_program(shard(arguments, 2, 3)).err, ContainsSubstring("finished before: "));
  CHECK_THAT(run_program(arguments).err, ContainsSubstring("finished before: "));
  const ProgramResult nothing = run_program({"merge", logs.string()});
  CHECK(nothing.exit_code == 3);
  CHECK_THAT(nothing.err, ContainsSubstring("expected shards of a run in it or below it"));
}

TEST_CASE("A shard that another process is at is waited for", "[e2e]") {
  const TempFolder folder;
  const auto arguments = run_arguments(folder.path(), {"--batch-size", "1"});
  StartedProgram first(shard(arguments, 1, 2));
  wait_for_items(folder.path() / "GoEmotions", "shard_1_of_2", 2);
  ::kill(first.pid(), SIGSTOP);
  const ProgramResult second = run_program(with(shard(arguments, 1, 2), {"--wait", "0"}));
  CHECK(second.exit_code == 75);
  CHECK_THAT(second.err, ContainsSubstring("process " + std::to_string(first.pid()) + " on ") &&
                             ContainsSubstring(" does shard 1 of 2"));
  const ProgramResult merged = run_program({"merge", folder.path().string()});
  CHECK(merged.exit_code == 75);
  CHECK_THAT(merged.err, ContainsSubstring(", is at it), 2 (not begun)"));
  CHECK_THAT(run_program({"runs", folder.path().string()}).out, ContainsSubstring("running"));
  ::kill(first.pid(), SIGCONT);
  CHECK(first.finish().exit_code == 0);
}

TEST_CASE("Each mistake with shards has its message", "[e2e]") {
  const TempFolder folder;
  const auto arguments = run_arguments(folder.path(), {"--limit", "4"});
  for (const char* wrong : {"5/4", "0/4", "2", "a/b", "1/2/3", "-1/2"}) {
    CAPTURE(wrong);
    const ProgramResult result = run_program(with(arguments, {"--shard", wrong}));
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err,
               ContainsSubstring("expected i/n with i from 1 to n, such as 2/4, found"));
  }
  REQUIRE(run_program(shard(arguments, 1, 2)).exit_code == 0);
  const ProgramResult other = run_program(shard(arguments, 2, 3));
  CHECK(other.exit_code == 2);
  CHECK_THAT(other.err, ContainsSubstring("is being made in 2 shards, found one of 3"));
  // Other contents under the same options: the model's end tokens change.
  const fs::path model = folder.path() / "model";
  fs::copy(support::fixture("e2e/model"), model, fs::copy_options::recursive);
  auto of_copy = run_arguments(folder.path() / "other",
                               {"--limit", "4", "--model-name-or-path", model.string()});
  REQUIRE(run_program(shard(of_copy, 1, 2)).exit_code == 0);
  nlohmann::json config = support::read_json(model / "config.json");
  config["eos_token_id"] = 3;
  support::write_file(model / "config.json", config.dump());
  fs::remove(model / "generation_config.json");
  const ProgramResult changed = run_program(shard(of_copy, 2, 2));
  CHECK(changed.exit_code == 2);
  CHECK_THAT(changed.err, ContainsSubstring("were begun with other contents; changed since: ") &&
                              ContainsSubstring("model"));
  const ProgramResult packed =
      run_program(with(shard(arguments, 2, 2), {"--quant", "nf4", "--save-quantised", "packed"}));
  CHECK(packed.exit_code == 2);
  CHECK_THAT(packed.err, ContainsSubstring("save_quantised: expected no --shard with it"));
  const ProgramResult missing = run_program({"merge", (folder.path() / "nowhere").string()});
  CHECK(missing.exit_code != 0);
}

TEST_CASE("A grid's settings each have their shards, and annotators' items their files", "[e2e]") {
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  const auto arguments = run_arguments(logs, {"--limit", "3", "--seed", "1", "2"}, "classify");
  const auto wanted = bytes_of_one(arguments, logs);
  const ProgramResult first = run_program(shard(arguments, 1, 2));
  INFO(first.err);
  CHECK(first.exit_code == 0);
  const ProgramResult second = run_program(shard(arguments, 2, 2));
  INFO(second.err);
  CHECK(second.exit_code == 0);
  CHECK(differing(log_files(logs), wanted) == "");
}

TEST_CASE("Files beside the log and readouts are merged with it", "[e2e]") {
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  const auto arguments = run_arguments(logs, {"--limit", "5", "--hidden-states", "0,-1",
                                              "--attention-heads", "--readouts", "slot_trie,mc"});
  const auto wanted = bytes_of_one(arguments, logs);
  REQUIRE(wanted.contains("GoEmotions/e2e_0/hidden_states_0.safetensors"));
  for (const int i : {1, 2, 3}) {
    const ProgramResult result = run_program(shard(arguments, i, 3));
    INFO(result.err);
    CHECK(result.exit_code == 0);
  }
  CHECK(differing(log_files(logs), wanted) == "");
}

TEST_CASE("A shard's failed items are those of the run", "[e2e]") {
  const TempFolder folder;
  const auto arguments =
      run_arguments(folder.path(), {"--limit", "3", "--max-new-tokens", "100000"});
  CHECK(run_program(shard(arguments, 1, 2)).exit_code == 1);
  const ProgramResult last = run_program(shard(arguments, 2, 2));
  CHECK(last.exit_code == 1);
  CHECK_THAT(last.err, ContainsSubstring("3 of 3 items failed"));
}

TEST_CASE("A server's tokens are those of all shards", "[e2e]") {
  const support::ScriptedServer server([](const support::ScriptedRequest& request) {
    if (request.path == "/v1/models") {
      return support::ScriptedReply{.body = R"({"data": [{"id": "m", "owned_by": "s"}]})"};
    }
    nlohmann::json tokens = nlohmann::json::array();
    for (const char* text : {"{\"label\": [\"", "joy", "\"]}"}) {
      const nlohmann::json likeliest = {{"token", text}, {"logprob", -0.5}};
      tokens.push_back(likeliest);
      tokens.back()["top_logprobs"] = {likeliest};
    }
    const nlohmann::json choice = {{"text", "{\"label\": [\"joy\"]}"},
                                   {"finish_reason", "stop"},
                                   {"logprobs", {{"content", tokens}}}};
    return support::ScriptedReply{
        .body = nlohmann::json{{"choices", {choice}},
                               {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 4}}}}
                    .dump()};
  });
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  const auto arguments =
      with({"run", "GoEmotions", "--config", "configs/example/config.yaml"},
           {"--model-name-or-path", server.address(), "--log-root", logs.string(),
            "--alternative-experiment-name", "e2e", "--limit", "4", "--token-prices", "3,7"});
  const auto wanted = bytes_of_one(arguments, logs);
  REQUIRE(wanted.contains("GoEmotionsOpenAI/e2e_0/tokens.yml"));
  CHECK(run_program(shard(arguments, 1, 2)).exit_code == 0);
  const ProgramResult last = run_program(shard(arguments, 2, 2));
  INFO(last.err);
  CHECK(last.exit_code == 0);
  CHECK(differing(log_files(logs), wanted) == "");
}

TEST_CASE("A dry run shows what each shard has, and a merge that was interrupted goes on",
          "[e2e]") {
  const TempFolder folder;
  const fs::path logs = folder.path() / "logs";
  const auto arguments = run_arguments(logs, {"--limit", "6"});
  const auto wanted = bytes_of_one(arguments, logs);
  const ProgramResult dry = run_program(with(shard(arguments, 2, 3), {"--dry-run"}));
  INFO(dry.err);
  CHECK(dry.exit_code == 0);
  CHECK_THAT(dry.out, ContainsSubstring("shards in ") && ContainsSubstring("2/3") &&
                          ContainsSubstring("this one") &&
                          ContainsSubstring("distinct tokens of all shards "));
  CHECK_FALSE(fs::exists(logs));
  REQUIRE(run_program(shard(arguments, 1, 2)).exit_code == 0);
  const fs::path shards = shards_below(logs / "GoEmotions");
  // Another machine was merging and died.
  support::write_file(shards / ".merging",
                      "12 on another.machine, since 2026-11-29 21:26:00 +0000\n");
  const ProgramResult refused = run_program(shard(arguments, 2, 2));
  CHECK(refused.exit_code == 75);
  CHECK_THAT(refused.err, ContainsSubstring("give --take-over"));
  const ProgramResult merged = run_program({"merge", logs.string(), "--take-over"});
  INFO(merged.err);
  CHECK(merged.exit_code == 0);
  CHECK(merged.out == (logs / "GoEmotions" / "e2e_0").string() + "\n");
  CHECK(differing(log_files(logs), wanted) == "");
}

}  // namespace labelprobe
