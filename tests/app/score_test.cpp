// labelprobe score against lm-eval, minicons, CAPPr and transformers, and what it makes of files
// that are interrupted or wrong.
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

// What float32 sums of other libraries differ by.
constexpr double kTolerance = 1e-4;

json reference() {
  return json::parse(read_file(fixture("e2e/scores.json")));
}

std::string requests_of(const json& expected) {
  std::string text;
  for (const json& request : expected["requests"]) {
    text += json{{"id", request["id"]},
                 {"prompt", request["prompt"]},
                 {"continuations", request["continuations"]}}
                .dump() +
            "\n";
  }
  return text;
}

ProgramResult score(const std::filesystem::path& requests, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {
      "score",      "--model-name-or-path", fixture("e2e/model").string(),
      "--requests", requests.string(),      "--device",
      "cpu"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program(arguments);
}

void check_close(const json& found, const json& expected) {
  CHECK(found.get<double>() == Approx(expected.get<double>()).margin(kTolerance).epsilon(0));
}

}  // namespace

TEST_CASE("Scores are those of lm-eval, minicons, CAPPr and transformers", "[e2e]") {
  const TempFolder folder;
  const json expected = reference();
  write_file(folder.path() / "r.jsonl", requests_of(expected));
  const ProgramResult result =
      score(folder.path() / "r.jsonl", {"--joining", "lm-eval", "--prompt-logprobs"});
  INFO(result.err);
  const std::vector<json> found = json_lines(result.out);
  REQUIRE(found.size() == expected["requests"].size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const json& request = expected["requests"][i];
    INFO(request["id"]);
    CHECK(found[i]["id"] == request["id"]);
    if (request["prompt"].get<std::string>().empty()) {
      CHECK_THAT(found[i]["failure"].get<std::string>(), ContainsSubstring("no token"));
      continue;
    }
    REQUIRE(found[i]["continuations"].size() == request["lm_eval"].size());
    for (std::size_t c = 0; c < request["lm_eval"].size(); ++c) {
      const json& of_text = found[i]["continuations"][c];
      INFO(of_text["text"]);
      check_close(of_text["logprob"], request["lm_eval"][c]["logprob"]);
      CHECK(of_text["is_greedy"] == request["lm_eval"][c]["is_greedy"]);
      CHECK(of_text["token_ids"] == request["lm_eval"][c]["token_ids"]);
      CHECK(of_text["n_tokens"] == request["lm_eval"][c]["token_ids"].size());
    }
    const json& logprobs = request["prompt_logprobs"];
    REQUIRE(found[i]["prompt_logprobs"].size() == logprobs.size());
    for (std::size_t t = 0; t < logprobs.size(); ++t) {
      check_close(found[i]["prompt_logprobs"][t], logprobs[t]);
    }
    if (!request.contains("minicons_sums")) continue;
    for (std::size_t c = 0; c < request["minicons_sums"].size(); ++c) {
      const json& of_text = found[i]["continuations"][c];
      check_close(of_text["logprob"], request["minicons_sums"][c]);
      const json& by_token = request["cappr_token_logprobs"][c];
      REQUIRE(of_text["token_logprobs"].size() == by_token.size());
      for (std::size_t t = 0; t < by_token.size(); ++t) {
        check_close(of_text["token_logprobs"][t], by_token[t]);
      }
    }
  }
  CHECK(result.exit_code == 1);  // for the request without a prompt
}

TEST_CASE("The forms of a score follow from it", "[e2e]") {
  const TempFolder folder;
  write_file(folder.path() / "r.jsonl",
             R"({"id": "a", "prompt": "The answer is", "continuations": [" yés", " joy"]})"
             "\n");
  const ProgramResult result = score(folder.path() / "r.jsonl", {"--pmi-prompt", ""});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json found = json_lines(result.out).at(0)["continuations"];
  double sum = 0;
  for (const json& of_text : found) {
    const double logprob = of_text["logprob"];
    CHECK(of_text["per_token"].get<double>() == Approx(logprob / of_text["n_tokens"].get<int>()));
    CHECK(of_text["per_char"].get<double>() == Approx(logprob / 3));
    CHECK(of_text["pmi"].get<double>() == Approx(logprob - of_text["bare_logprob"].get<double>()));
    sum += of_text["probability"].get<double>();
  }
  CHECK(sum == Approx(1));
  CHECK(found[0]["per_byte"].get<double>() == Approx(found[0]["logprob"].get<double>() / 4));
  // lm-eval's request with nothing before it: the unconditional one of acc_mutual_info.
  const json bare = reference()["requests"][4];
  REQUIRE(bare["continuations"][2] == " joy");
  check_close(found[1]["bare_logprob"], bare["lm_eval"][2]["logprob"]);
}

TEST_CASE("Samples that lm-eval has logged are requests", "[e2e]") {
  const TempFolder folder;
  const std::string context = "The answer is";
  const json lists = {
      {"doc_id", 7},
      {"arguments", json::array({json::array({context, " yes"}), json::array({context, " no"})})},
      {"target", 1}};
  const json objects = {{"doc_id", 8},
                        {"arguments",
                         {{"gen_args_0", {{"arg_0", context}, {"arg_1", " yes"}}},
                          {"gen_args_1", {{"arg_0", ""}, {"arg_1", " joy"}}}}}};
  write_file(folder.path() / "r.jsonl", lists.dump() + "\n" + objects.dump() + "\n");
  const ProgramResult result = score(folder.path() / "r.jsonl");
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::vector<json> found = json_lines(result.out);
  REQUIRE(found.size() == 2);
  const json expected = reference();
  const json& words = expected["requests"][3]["lm_eval"];
  CHECK(found[0]["id"] == "7");
  check_close(found[0]["continuations"][0]["logprob"], words[0]["logprob"]);
  check_close(found[0]["continuations"][1]["logprob"], words[1]["logprob"]);
  check_close(found[1]["continuations"][0]["logprob"], words[0]["logprob"]);
  check_close(found[1]["continuations"][1]["logprob"],
              expected["requests"][4]["lm_eval"][2]["logprob"]);
}

TEST_CASE("A command that was killed goes on and ends in the same bytes", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path requests = folder.path() / "r.jsonl";
  const std::filesystem::path out = folder.path() / "scores.jsonl";
  const std::filesystem::path begun = folder.path() / "scores.jsonl.begun";
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += json{{"id", std::to_string(i)},
                 {"prompt", "Input: " + std::to_string(i * 7919)},
                 {"continuations", {" yes", " no " + std::to_string(i)}}}
                .dump() +
            "\n";
  }
  write_file(requests, text);
  const std::string expected = score(requests).out;
  const std::vector<std::string> arguments = {"score",
                                              "--model-name-or-path",
                                              fixture("e2e/model").string(),
                                              "--requests",
                                              requests.string(),
                                              "--device",
                                              "cpu",
                                              "--batch-size",
                                              "1",
                                              "--out",
                                              out.string()};
  support::StartedProgram program(arguments);
  const auto n_lines = [&] {
    const std::string found = std::filesystem::exists(begun) ? read_file(begun) : "";
    return std::count(found.begin(), found.end(), '\n');
  };
  for (int waits = 0; waits < 20000 && n_lines() < 20; ++waits) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(program.pid(), SIGKILL);
  REQUIRE(program.finish().exit_code == 128 + SIGKILL);
  CHECK_FALSE(std::filesystem::exists(out));
  const auto n_before = n_lines() - 1;
  std::ofstream(begun, std::ios::app) << "299\t{\"id\": \"2";  // a line that was cut off

  const ProgramResult rest = run_program(arguments);
  INFO(rest.err);
  CHECK(rest.exit_code == 0);
  CHECK_THAT(rest.err,
             ContainsSubstring(std::to_string(n_before) + " of 300 requests were scored before"));
  CHECK(read_file(out) == expected);
  CHECK_FALSE(std::filesystem::exists(begun));

  // What another task has left is of no use; what is none of ours is left alone.
  write_file(begun, "another task\n0\t{}\n");
  CHECK_THAT(run_program(arguments).err, !ContainsSubstring("were scored before"));
  CHECK(read_file(out) == expected);
}

TEST_CASE("Wrong requests are refused with their line", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path requests = folder.path() / "r.jsonl";
  const auto refusal = [&](const std::string& text) {
    write_file(requests, text);
    const ProgramResult result = score(requests);
    CHECK(result.exit_code == 3);
    CHECK(result.out.empty());
    return result.err;
  };
  const std::string good = R"({"id": "a", "prompt": "x", "continuations": ["y"]})"
                           "\n";
  CHECK_THAT(refusal(""), ContainsSubstring("expected requests as JSON lines, found none"));
  CHECK_THAT(refusal(good + "[1]\n"), ContainsSubstring("r.jsonl:2: expected an object like"));
  CHECK_THAT(refusal(good + good), ContainsSubstring("expected a new id, found 'a' as in"));
  CHECK_THAT(refusal(R"({"id": "a", "prompt": "x", "continuations": []})"),
             ContainsSubstring("expected at least one continuation, found none"));
  CHECK_THAT(refusal(R"({"id": "a", "prompt": "x", "continuations": [""]})"),
             ContainsSubstring("key 'continuations[0]': expected a text of one character or more"));
  CHECK_THAT(refusal(R"({"id": "a", "prompt": "x"})"), ContainsSubstring("continuations"));
  CHECK_THAT(refusal(R"({"doc_id": 1, "arguments": [["x"]]})"),
             ContainsSubstring("expected a context and a continuation, found 1 values"));
  CHECK_THAT(refusal(R"({"doc_id": 1, "arguments": {"gen_args_1": {}}})"),
             ContainsSubstring("gen_args_0"));
}

TEST_CASE("A request that cannot be scored is told, and the others are scored", "[e2e]") {
  const TempFolder folder;
  std::string long_text;
  for (int i = 0; i < 5000; ++i) long_text += "word " + std::to_string(i);
  const std::string text =
      json{{"id", "long"}, {"prompt", long_text}, {"continuations", {" yes"}}}.dump() + "\n" +
      json{{"id", "short"}, {"prompt", "x"}, {"continuations", {" yes"}}}.dump() + "\n";
  write_file(folder.path() / "r.jsonl", text);
  const ProgramResult result = score(folder.path() / "r.jsonl");
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.err, ContainsSubstring("1 of 2 requests failed; see \"failure\""));
  const std::vector<json> found = json_lines(result.out);
  CHECK_THAT(found.at(0)["failure"].get<std::string>(), ContainsSubstring("context has"));
  CHECK(found.at(1)["continuations"].size() == 1);
}

}  // namespace labelprobe
