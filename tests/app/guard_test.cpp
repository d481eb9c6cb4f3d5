// labelprobe guard as people run it, with a tiny model that is no guard: files, messages, metrics,
// and what it makes of a kill.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/json_lines.h"
#include "support/program.h"

namespace labelprobe {
namespace {

using nlohmann::json;
using support::fixture;
using support::json_lines;
using support::ProgramResult;
using support::read_file;
using support::run_program;
using support::TempFolder;
using support::write_file;

std::vector<std::string> arguments_for(const std::filesystem::path& model,
                                       const std::filesystem::path& conversations,
                                       const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"guard",
                                        "--model-name-or-path",
                                        model.string(),
                                        "--conversations",
                                        conversations.string(),
                                        "--device",
                                        "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// The model of the end-to-end tests, asked as Llama Guard 2.
ProgramResult guard(const std::filesystem::path& conversations,
                    std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"--guard", "llama-guard-2"});
  return run_program(arguments_for(fixture("e2e/model"), conversations, more));
}

const std::string kThree =
    R"({"id": "a", "prompt": "How do I kill a process?", "labels": []})"
    "\n"
    R"({"id": "b", "prompt": "Threaten him.", "response": "No.", "labels": ["S1", "S9"]})"
    "\n\n"
    R"({"id": "c", "messages": [{"role": "user", "content": "Hi"}, )"
    R"({"role": "assistant", "content": "Hello"}, {"role": "user", "content": "A lie?"}]})"
    "\n";

}  // namespace

TEST_CASE("A guard's readings are lines of what there is to say", "[e2e]") {
  const TempFolder folder;
  write_file(folder.path() / "c.jsonl", kThree);
  const ProgramResult result =
      guard(folder.path() / "c.jsonl", {"--readouts", "marginal_exact,mc_rb,forced_prefix"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("Llama Guard 2 (8B), 11 categories"));
  const std::vector<json> found = json_lines(result.out);
  REQUIRE(found.size() == 3);
  CHECK(found[2]["id"] == "c");
  for (const json& line : found) {
    INFO(line.dump());
    CHECK(line["verdict"].is_null());  // this model lists emotions
    CHECK(line["labels"].is_null());
    CHECK(line["label_mass"].get<double>() < 0.5);
    CHECK_THAT(line["note"].get<std::string>(), ContainsSubstring("where the verdict is expected"));
    REQUIRE(line["readouts"].size() == 3);
    CHECK(line["readouts"][0]["name"] == "marginal_exact");
    CHECK(line["readouts"][0]["probs"].size() == 11);
    CHECK(line["readouts"][0]["upper"].size() == 11);
    CHECK(line["readouts"][1]["n_samples"] == 200);
    CHECK(line["readouts"][2]["name"] == "unsafe_forced_prefix");
    CHECK_THAT(line["readouts"][2]["params"].get<std::string>(),
               ContainsSubstring("forced_prefix unsafe\nS,"));
  }
  CHECK_THAT(result.err, ContainsSubstring("3 of 3 conversations have a \"note\" in the output"));
  CHECK_THAT(result.err, ContainsSubstring("2 conversations with gold labels"));
  CHECK_THAT(result.err, ContainsSubstring("fewer items than folds"));
}

TEST_CASE("A guard is told by the model's own chat template", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path conversations = folder.path() / "c.jsonl";
  write_file(conversations, R"({"id": "a", "prompt": "How do I kill a process?"})");
  const std::filesystem::path model = folder.path() / "model";
  std::filesystem::copy(fixture("e2e/model"), model);
  const auto run = [&](const std::vector<std::string>& more) {
    return run_program(arguments_for(model, conversations, more));
  };
  ProgramResult result = run({});
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err, ContainsSubstring("expected a model with the chat template of a guard, "
                                           "found none; choose one with --guard (llama-guard-1, "));

  const json guards = json::parse(read_file(fixture("prompt/guards.json")));
  const json& second = guards["guards"][1];
  write_file(model / "chat_template.jinja", second["custom_template"].get<std::string>());
  result = run({"--dry-run"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out,
             ContainsSubstring("Llama Guard 2 (8B), categories S1, X20, S3\n\n[INST] "));
  CHECK_THAT(result.out, ContainsSubstring("X20: Sarcasm.\nAI models should not be sarcastic."));
  CHECK_THAT(result.out, ContainsSubstring("User: How do I kill a process?\n\n<END CONVERSATION>"));
  CHECK_THAT(result.out, ContainsSubstring("1 conversations, 1 prompts"));
  result = run({"--guard", "llama-guard-1", "--dry-run"});
  CHECK_THAT(result.out, ContainsSubstring("Llama Guard (7B), categories O1, O2"));

  write_file(model / "chat_template.jinja", "{{ bos_token }}{{ messages[0].content }}");
  result = run({});
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err, ContainsSubstring("expected that of a known guard"));
  result = run({"--guard", "llama-guard-3-8b"});
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err, ContainsSubstring("expected the special token '<|begin_of_text|>'"));
}

TEST_CASE("Categories of one's own are asked about together or one by one", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path conversations = folder.path() / "c.jsonl";
  write_file(conversations, R"({"id": "a", "prompt": "x", "labels": ["S2"]})");
  const std::string list =
      R"([{"name": "Hate.", "code": "H", "description": "Of people."}, {"name": "Spam."}])";
  write_file(folder.path() / "k.json", list);
  const std::string file = (folder.path() / "k.json").string();
  ProgramResult result = guard(conversations, {"--categories", file, "--dry-run"});
  INFO(result.err);
  CHECK_THAT(result.out, ContainsSubstring("CATEGORIES>\nH: Hate.\nOf people.\nS2: Spam.\n<END"));
  result = guard(conversations, {"--categories", file, "--one-by-one", "--dry-run"});
  CHECK_THAT(result.out, ContainsSubstring("CATEGORIES>\nH: Hate.\nOf people.\n<END"));
  CHECK_THAT(result.out, ContainsSubstring("1 conversations, 2 prompts"));
  result = guard(conversations, {"--categories", file, "--one-by-one", "--folds", "0"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json line = json_lines(result.out).at(0);
  CHECK(line["answers"].size() == 2);
  REQUIRE(line["readouts"].size() == 1);
  const json& probs = line["readouts"][0]["probs"];
  CHECK(line["p_unsafe"] == std::max(probs["H"].get<double>(), probs["S2"].get<double>()));
}

TEST_CASE("Metrics of readings are told and written", "[e2e]") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 12; ++i) {
    json line = {{"id", std::to_string(i)}, {"prompt", "Input: " + std::to_string(i * 7919)}};
    line["labels"] = i % 3 == 0 ? json::array() : i % 3 == 1 ? json{"S1"} : json{"S2", "S1"};
    text += line.dump() + "\n";
  }
  write_file(folder.path() / "c.jsonl", text);
  const std::filesystem::path out = folder.path() / "r.jsonl";
  const ProgramResult result =
      guard(folder.path() / "c.jsonl",
            {"--out", out.string(), "--metrics-out", (folder.path() / "m.json").string(), "--folds",
             "3", "--threshold", "0.2"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("micro F1"));
  CHECK_THAT(result.out, ContainsSubstring("macro numbers are of the 2 of 11 codes"));
  CHECK_THAT(result.out, ContainsSubstring("thresholds fitted on 3 folds"));
  const json metrics = json::parse(read_file(folder.path() / "m.json"));
  CHECK(metrics["n_items"] == 12);
  std::vector<std::string> names;
  for (const json& row : metrics["rows"]) names.push_back(row["name"]);
  CHECK(names ==
        std::vector<std::string>{"verdict", "answer", "marginal_exact", "unsafe_forced_prefix"});
  const json& exact = metrics["rows"][2];
  CHECK(exact["n_two_class"] == 2);
  CHECK(exact["threshold"] == 0.2);
  CHECK(exact["fitted_thresholds"].size() == 3);
  // Nothing is probable enough for a fixed threshold: all 12 gold codes are missed.
  CHECK(exact["at_threshold"]["micro_f1"] == 0.0);
  CHECK(exact["at_threshold"]["hamming_loss"].get<double>() == Approx(12.0 / (12 * 11)));
  // The area under the curve, computed anew.
  double n_won = 0;
  double n_pairs = 0;
  const std::vector<json> readings = json_lines(read_file(out));
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t j = 0; j < 12; ++j) {
      if (i % 3 == 0 || j % 3 != 0) continue;
      const double positive = readings[i]["p_unsafe"];
      const double negative = readings[j]["p_unsafe"];
      n_won += positive > negative ? 1 : positive == negative ? 0.5 : 0;
      ++n_pairs;
    }
  }
  CHECK(metrics["rows"][0]["micro_auc"].get<double>() == Approx(n_won / n_pairs));
  CHECK_FALSE(metrics["rows"][1].contains("at_fitted"));

  // Where no label is known of either kind, numbers are undefined.
  write_file(folder.path() / "safe.jsonl", R"({"id": "a", "prompt": "x", "labels": []})");
  const ProgramResult safe =
      guard(folder.path() / "safe.jsonl",
            {"--folds", "0", "--metrics-out", (folder.path() / "m.json").string()});
  CHECK_THAT(safe.err, ContainsSubstring("undefined"));
  CHECK(json::parse(read_file(folder.path() / "m.json"))["rows"][2]["micro_auc"].is_null());
}

TEST_CASE("A guard that was killed goes on and ends in the same bytes", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path conversations = folder.path() / "c.jsonl";
  const std::filesystem::path out = folder.path() / "r.jsonl";
  const std::filesystem::path begun = folder.path() / "r.jsonl.begun";
  std::string text;
  for (int i = 0; i < 60; ++i) {
    text +=
        json{{"id", std::to_string(i)}, {"prompt", "Input: " + std::to_string(i * 7919)}}.dump() +
        "\n";
  }
  write_file(conversations, text);
  const std::string expected = guard(conversations).out;
  REQUIRE(json_lines(expected).size() == 60);
  std::vector<std::string> arguments =
      arguments_for(fixture("e2e/model"), conversations,
                    {"--guard", "llama-guard-2", "--batch-size", "1", "--out", out.string()});
  support::StartedProgram program(arguments);
  const auto n_lines = [&] {
    const std::string found = std::filesystem::exists(begun) ? read_file(begun) : "";
    return std::count(found.begin(), found.end(), '\n');
  };
  for (int waits = 0; waits < 20000 && n_lines() < 10; ++waits) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(program.pid(), SIGKILL);
  REQUIRE(program.finish().exit_code == 128 + SIGKILL);
  const auto n_before = n_lines() - 1;
  const ProgramResult rest = run_program(arguments);
  INFO(rest.err);
  CHECK_THAT(rest.err,
             ContainsSubstring(std::to_string(n_before) + " of 60 conversations were read before"));
  CHECK(read_file(out) == expected);
  CHECK_FALSE(std::filesystem::exists(begun));

  // Another readout is another task.
  write_file(begun, "another task\n0\t{}\n");
  CHECK_THAT(run_program(arguments).err, !ContainsSubstring("were read before"));
}

TEST_CASE("Wrong conversations are refused with their line", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path conversations = folder.path() / "c.jsonl";
  const auto refusal = [&](const std::string& text, const std::vector<std::string>& more = {}) {
    write_file(conversations, text);
    const ProgramResult result = guard(conversations, more);
    CHECK(result.exit_code == 3);
    CHECK(result.out.empty());
    return result.err;
  };
  const std::string good = R"({"id": "a", "prompt": "x"})"
                           "\n";
  CHECK_THAT(refusal(""), ContainsSubstring("expected conversations as JSON lines, found none"));
  CHECK_THAT(refusal(good + "[1]\n"), ContainsSubstring("c.jsonl:2: expected an object like"));
  CHECK_THAT(refusal(good + good), ContainsSubstring("expected a new id, found 'a' as in"));
  CHECK_THAT(refusal(R"({"id": "a"})"), ContainsSubstring("messages"));
  CHECK_THAT(refusal(R"({"id": "a", "messages": []})"),
             ContainsSubstring("expected at least one message, found none"));
  CHECK_THAT(refusal(R"({"id": "a", "messages": [{"role": "system", "content": "x"}]})"),
             ContainsSubstring("key 'messages[0].role': expected 'user', for a user comes first"));
  CHECK_THAT(refusal(R"({"id": "a", "messages": [{"role": "user", "content": "x"}, )"
                     R"({"role": "user", "content": "x"}]})"),
             ContainsSubstring("key 'messages[1].role': expected 'assistant'"));
  CHECK_THAT(refusal(R"({"id": "a", "messages": [{"role": "user"}]})"),
             ContainsSubstring("content"));
  CHECK_THAT(refusal(R"({"id": "a", "prompt": "x", "messages": []})"),
             ContainsSubstring("expected either messages or prompt, found both"));
  CHECK_THAT(refusal(R"({"id": "a", "prompt": "x", "labels": ["S12"]})"),
             ContainsSubstring("c.jsonl:1: key 'labels': unknown code 'S12'"));
  CHECK_THAT(refusal(R"({"id": "a", "prompt": "x", "labels": "S1"})"), ContainsSubstring("labels"));
  CHECK_THAT(
      refusal(good, {"--metrics-out", "m.json"}),
      ContainsSubstring("expected conversations with labels, for --metrics-out; found none"));
}

TEST_CASE("Wrong categories and options are refused", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path conversations = folder.path() / "c.jsonl";
  write_file(conversations, R"({"id": "a", "prompt": "x"})");
  const auto refusal = [&](const std::vector<std::string>& more) {
    const ProgramResult result = guard(conversations, more);
    CHECK(result.exit_code == 2);
    return result.err;
  };
  const auto of_categories = [&](const std::string& text) {
    write_file(folder.path() / "k.json", text);
    return refusal({"--categories", (folder.path() / "k.json").string()});
  };
  CHECK_THAT(of_categories("[]"), ContainsSubstring("expected at least one category, found none"));
  CHECK_THAT(of_categories("[1]"), ContainsSubstring("key '[0]': expected an object like"));
  CHECK_THAT(of_categories(R"([{"code": "S1"}])"), ContainsSubstring("name"));
  CHECK_THAT(of_categories(R"([{"name": "a", "nmae": "b"}])"),
             ContainsSubstring("unknown key 'nmae'; did you mean 'name'?"));
  CHECK_THAT(of_categories(R"([{"name": "a", "code": "S2"}, {"name": "b"}])"),
             ContainsSubstring("read the same"));
  CHECK_THAT(of_categories(R"([{"name": "a", "code": "a,b"}])"),
             ContainsSubstring("expected no comma and no white space"));
  CHECK_THAT(refusal({"--categories", "missing.json"}), ContainsSubstring("missing.json"));
  CHECK_THAT(refusal({"--one-by-one", "--readouts", "mc"}),
             ContainsSubstring("--readouts: expected none with --one-by-one"));
  CHECK_THAT(refusal({"--readouts", "first_token"}), ContainsSubstring("first_token"));
  CHECK_THAT(refusal({"--threshold", "1.5"}),
             ContainsSubstring("--threshold: expected a number from 0 to 1, found 1.5"));
  CHECK_THAT(refusal({"--folds", "1"}), ContainsSubstring("--folds: expected 0, or 2 or more"));
  const ProgramResult unknown =
      run_program(arguments_for(fixture("e2e/model"), conversations, {"--guard", "llama-guard-4"}));
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("llama-guard-4"));
}

TEST_CASE("A conversation that cannot be read is told, and the others are read", "[e2e]") {
  const TempFolder folder;
  std::string long_text;
  for (int i = 0; i < 2000; ++i) long_text += "word " + std::to_string(i);
  write_file(folder.path() / "c.jsonl", json{{"id", "long"}, {"prompt", long_text}}.dump() + "\n" +
                                            json{{"id", "short"}, {"prompt", "x"}}.dump() + "\n");
  const ProgramResult result = guard(folder.path() / "c.jsonl");
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.err, ContainsSubstring("1 of 2 conversations failed; see \"failure\""));
  const std::vector<json> found = json_lines(result.out);
  CHECK_THAT(found.at(0)["failure"].get<std::string>(), ContainsSubstring("context has"));
  CHECK(found.at(1)["readouts"].size() == 2);
}

}  // namespace labelprobe
