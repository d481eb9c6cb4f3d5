// Models that people's reports led to, from shared/cases/models: the next token is a function of
// the last one, so that the right answer is known. Expected tokens from transformers.
#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "labelprobe/core/token.h"

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;

struct Answer {
  TokenIds token_ids;
  std::string text;
  std::string err;
};

// A case unpacked: the folder or file to name.
class CaseModel {
 public:
  explicit CaseModel(const std::string& name) {
    const fs::path archive = support::shared("cases/models/" + name);
    const std::string stem = name.substr(0, name.find('.'));
    const bool is_folder = name.ends_with(".tar.gz");
    path_ = folder_.path() / (is_folder ? stem : stem + ".gguf");
    const std::string command =
        is_folder ? "tar xzf " + archive.string() + " -C " + folder_.path().string()
                  : "gunzip -c " + archive.string() + " > " + path_.string();
    REQUIRE(std::system(command.c_str()) == 0);
  }

  const fs::path& path() const { return path_; }

  Answer generate(const nlohmann::json& prompt,
                  int n_new_tokens,
                  const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {
        "generate",         "--model-name-or-path",       path_.string(), "--prompts", "-",
        "--max-new-tokens", std::to_string(n_new_tokens), "--device",     "cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const support::ProgramResult result = support::run_program(arguments, prompt.dump() + "\n");
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const nlohmann::json answer = nlohmann::json::parse(result.out);
    return {answer["token_ids"].get<TokenIds>(),
            answer["text"].is_null() ? "" : answer["text"].get<std::string>(), result.err};
  }

 private:
  support::TempFolder folder_;
  fs::path path_;
};

bool has_cases() {
  return fs::exists(support::shared("cases/models"));
}

const nlohmann::json kQuestion = {{"id", "0"}, {"text", "Q"}};
const nlohmann::json kToken81 = {{"id", "0"}, {"token_ids", {81}}};

}  // namespace

TEST_CASE("A GGUF file and a folder of the same weights end at the same tokens", "[e2e]") {
  if (!has_cases()) SKIP_ALOUD("the cases of models are not here");
  for (const char* name : {"c01_eog_llama3.gguf.gz", "c01_eog_llama3.tar.gz"}) {
    const Answer answer = CaseModel(name).generate(kQuestion, 10);
    CHECK(answer.token_ids == TokenIds{65, 33, 258});
    CHECK(answer.text == "A!");
  }
}

TEST_CASE("Settings of generation count as in transformers", "[e2e]") {
  if (!has_cases()) SKIP_ALOUD("the cases of models are not here");
  const CaseModel suppress("c07_suppress.tar.gz");
  const Answer suppressed = suppress.generate(kToken81, 8);
  CHECK(suppressed.token_ids == TokenIds{65, 67, 65, 67, 65, 67, 65, 67});
  CHECK_THAT(suppressed.err, ContainsSubstring("answers end at token 259, suppress_tokens [66]\n"));
  CHECK(CaseModel("c07_no_repeat_ngram.tar.gz").generate(kToken81, 8).token_ids ==
        TokenIds{65, 66, 65, 67, 65, 0, 0, 1});
  CHECK(CaseModel("c07_forced_eos.tar.gz").generate(kToken81, 8).token_ids ==
        TokenIds{65, 66, 65, 66, 65, 66, 65, 259});
  const CaseModel penalized("c07_rep_penalty_config_json.tar.gz");
  const Answer plain = penalized.generate(kToken81, 8);
  CHECK(plain.token_ids == TokenIds{65, 66, 65, 66, 65, 66, 65, 66});
  CHECK_THAT(plain.err, ContainsSubstring("answers end at token 259, no rule changes the logits"));
  const Answer asked = penalized.generate(kToken81, 8, {"--repetition-penalty", "1.3"});
  CHECK(asked.token_ids == TokenIds{65, 66, 68, 259});
  CHECK_THAT(asked.err, ContainsSubstring("answers end at token 259, repetition_penalty 1.3"));
}

TEST_CASE("An end token that tokenizer.json does not call special is no text", "[e2e]") {
  if (!has_cases()) SKIP_ALOUD("the cases of models are not here");
  const Answer answer = CaseModel("c26_json_nonspecial_cfg_eos.tar.gz").generate(kQuestion, 10);
  CHECK(answer.token_ids.back() == 260);
  CHECK(answer.text.find("<|im_end|>") == std::string::npos);
}

TEST_CASE("A stored head counts before one that is tied, and its user is told", "[e2e]") {
  if (!has_cases()) SKIP_ALOUD("the cases of models are not here");
  const Answer answer =
      CaseModel("tie_both.tar.gz").generate({{"id", "0"}, {"token_ids", {1, 5, 9}}}, 1);
  CHECK(answer.token_ids == TokenIds{227});
  CHECK_THAT(answer.err, ContainsSubstring("warning: ") &&
                             ContainsSubstring("lm_head.weight is stored and differs"));
}

TEST_CASE("added_tokens.json beside tokenizer.model counts on the command line", "[e2e]") {
  if (!has_cases()) SKIP_ALOUD("the cases of models are not here");
  const CaseModel model("c16_added_tokens_json.tar.gz");
  const support::ProgramResult result =
      support::run_program({"tokenize", "--model-name-or-path", model.path().string()},
                           R"("<|im_start|>user\nHello<|im_end|>")"
                           "\n");
  INFO(result.err);
  CHECK(result.out == "[1,32001,1792,13,10994,32000]\n");
}

}  // namespace labelprobe
