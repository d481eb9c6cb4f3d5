// Chats from flags to prompts and logs, by templates of the user's own.
#include <nlohmann/json.hpp>

#include "app/e2e_run.h"
#include "app/killed_run.h"
#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe {
namespace {

using support::ProgramResult;
using support::run_arguments;
using support::run_program;
using support::TempFolder;
using support::write_file;

constexpr const char* kTemplate =
    "{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}";

std::vector<std::string> chat_flags(const std::filesystem::path& file) {
  return {"--prompt-mode",
          "chat",
          "--user-prompt",
          "Input: {text}",
          "--assistant-prompt",
          "{label}",
          "--limit",
          "2",
          "--shot",
          "1",
          "--chat-template",
          file.string()};
}

TEST_CASE("A chat template of one's own makes the prompts, and the log has its hash", "[e2e]") {
  const TempFolder folder;
  write_file(folder.path() / "own.jinja",
             "{% set day = strftime_now('%d') %}" + std::string(kTemplate));
  std::vector<std::string> flags = chat_flags(folder.path() / "own.jinja");
  flags.emplace_back("--dry-run");
  ProgramResult result = run_program(run_arguments(folder.path(), flags));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out + result.err, ContainsSubstring("<|endoftext|>\n[user] Input: "));
  flags.pop_back();
  result = run_program(run_arguments(folder.path(), flags));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::string params =
      support::read_file(folder.path() / "GoEmotions" / "e2e_0" / "params.yml");
  CHECK_THAT(params, ContainsSubstring("chat_template_fingerprint: ") &&
                         ContainsSubstring("chat_template_date: '2024-07-26'"));
}

// Sets the template of a checkpoint's tokenizer_config.json.
void set_template(const std::filesystem::path& model, const std::string& text) {
  const std::filesystem::path path = model / "tokenizer_config.json";
  nlohmann::json config = std::filesystem::exists(path)
                              ? nlohmann::json::parse(support::read_file(path))
                              : nlohmann::json::object();
  config["chat_template"] = text;
  write_file(path, config.dump());
}

TEST_CASE("A killed run of chats starts over where the model's chat template was edited", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path model = folder.path() / "model";
  std::filesystem::copy(support::fixture("e2e/model"), model,
                        std::filesystem::copy_options::recursive);
  set_template(model, kTemplate);
  const auto arguments = [&](const std::string& name) {
    std::vector<std::string> flags = {"--batch-size", "1", "--model-name-or-path", model.string()};
    for (const std::string& flag : chat_flags("")) {
      if (flag != "--limit" && flag != "2" && flag != "--chat-template" && !flag.empty()) {
        flags.push_back(flag);
      }
    }
    return run_arguments(folder.path() / name, flags);
  };
  const std::filesystem::path log = folder.path() / "killed" / "GoEmotions" / "e2e_0";
  support::start_and_kill(arguments("killed"), log / "journal_0.jsonl", 3000);
  REQUIRE(std::filesystem::exists(log / "journal_0.jsonl"));

  std::string edited = kTemplate;
  edited.replace(edited.find("[assistant]"), 11, "<assistant>");
  set_template(model, edited);
  const ProgramResult again = run_program(arguments("killed"));
  INFO(again.err);
  REQUIRE(again.exit_code == 0);
  CHECK_THAT(again.err, ContainsSubstring("starts over: changed since it was interrupted") &&
                            ContainsSubstring("prompts"));
  REQUIRE(run_program(arguments("anew")).exit_code == 0);
  CHECK(
      support::read_file(log / "indexed_metrics.yml") ==
      support::read_file(folder.path() / "anew" / "GoEmotions" / "e2e_0" / "indexed_metrics.yml"));
}

TEST_CASE("A chat template that refuses, or has no chats to make, is told with its place",
          "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path file = folder.path() / "own.jinja";
  write_file(file, "\n{{ raise_exception('Only one turn') }}");
  ProgramResult result = run_program(run_arguments(folder.path(), chat_flags(file)));
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err,
             ContainsSubstring("own.jinja:2: the template refuses this chat: Only one"));
  write_file(file, "{% extends 'x' %}");
  result = run_program(run_arguments(folder.path(), chat_flags(file)));
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err, ContainsSubstring("own.jinja:1: statement 'extends' is not supported"));
  result = run_program(run_arguments(folder.path(), {"--chat-template", file.string()}));
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("expected --prompt-mode chat, found completion"));
  result = run_program({"prompts", "GoEmotions", "--shot", "1", "--chat-template", file.string()});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("writes the messages of chats"));
}

TEST_CASE("Chats are put into a template and tokenized, those it refuses told by line", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path file = folder.path() / "own.jinja";
  write_file(file,
             "{% if messages[0].role == 'system' %}{{ raise_exception('no systems') }}{% endif %}" +
                 std::string(kTemplate));
  const std::vector<std::string> arguments = {
      "tokenize",   "--model-name-or-path", support::fixture("e2e/model").string(),
      "--chat",     "--show-text",          "--chat-template",
      file.string()};
  ProgramResult result = run_program(arguments, R"([{"role": "user", "content": " hi "}])"
                                                "\n"
                                                R"([{"role": "system", "content": "x"}])"
                                                "\n");
  CHECK(result.exit_code == 4);
  CHECK(result.out == "\"[user] hi<|endoftext|>\\n[assistant] \"\nnull\n");
  CHECK_THAT(result.err, ContainsSubstring("standard input:2: ") &&
                             ContainsSubstring("own.jinja:1: the template refuses this chat: no "
                                               "systems") &&
                             ContainsSubstring("1 of 2 chats were refused"));
  result = run_program(arguments, "[]\n");
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.err, ContainsSubstring("standard input:1: expected a list of messages"));
  result = run_program(
      {"tokenize", "--model-name-or-path", support::fixture("e2e/model").string(), "--chat"}, "");
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.err, ContainsSubstring("expected a model with a chat template, found none"));
}

}  // namespace
}  // namespace labelprobe
