#include "labelprobe/tokenizer/chat_template.h"

#include <fstream>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::tokenizer {
namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string text_of(const std::filesystem::path& model) {
  return chat_template(model).value().text;
}

using Tokens = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("Chat templates are read where models keep them", "[tokenizer]") {
  const support::TempFolder folder;
  CHECK(!chat_template(folder.path()));

  const auto config = folder.path() / "tokenizer_config.json";
  write(config, R"({"bos_token": "<s>"})");
  CHECK(!chat_template(folder.path()));
  write(config, R"({"chat_template": "one"})");
  CHECK(text_of(folder.path()) == "one");
  CHECK(text_of(folder.path() / "tokenizer.json") == "one");
  write(config, R"({"chat_template": [{"name": "rag", "template": "two"},
                                      {"name": "default", "template": "three"}]})");
  CHECK(text_of(folder.path()) == "three");
  write(folder.path() / "chat_template.jinja", "four\n");
  CHECK(text_of(folder.path()) == "four\n");
}

TEST_CASE("Chat templates that cannot be read say where and why", "[tokenizer]") {
  const support::TempFolder folder;
  const auto config = folder.path() / "tokenizer_config.json";
  write(config, R"({"chat_template": [{"name": "rag", "template": "two"}]})");
  CHECK_THROWS_WITH(chat_template(folder.path()),
                    ContainsSubstring("expected a template named default, found rag"));
  write(config, R"({"chat_template": 7})");
  CHECK_THROWS_AS(chat_template(folder.path()), ModelError);
  write(config, R"({"chat_template": [7]})");
  CHECK_THROWS_AS(chat_template(folder.path()), ModelError);
  write(config, "{");
  CHECK_THROWS_AS(chat_template(folder.path()), ModelError);
  write(config, "{}");
  write(folder.path() / "chat_template.jinja", "\xff");
  CHECK_THROWS_WITH(chat_template(folder.path()), ContainsSubstring("expected UTF-8"));
}

TEST_CASE("The chat template of a GGUF file is the one in it", "[tokenizer]") {
  const auto model = support::smollm2_gguf();
  if (model.empty()) {
    SKIP_ALOUD("SmolLM2-135M-Instruct is not here; scripts/get_model.sh fetches it");
  }
  const auto found = chat_template(model);
  REQUIRE(found);
  CHECK(found->text.find("<|im_start|>") != std::string::npos);
  CHECK(found->place == model.string() + ": tokenizer.chat_template");
  CHECK(found->tokens.at("bos_token") == "<|im_start|>");
  CHECK(found->tokens.at("eos_token") == "<|im_end|>");
}

TEST_CASE("A template has the tokens that the model's files name", "[tokenizer]") {
  const support::TempFolder folder;
  write(folder.path() / "tokenizer_config.json",
        R"({"bos_token": "<b>", "eos_token": {"content": "<e>"}, "pad_token": null,
            "chat_template": "x"})");
  write(folder.path() / "special_tokens_map.json", R"({"bos_token": "<q>", "unk_token": "<u>"})");
  CHECK(chat_template(folder.path())->tokens ==
        Tokens{{"bos_token", "<b>"}, {"eos_token", "<e>"}, {"unk_token", "<u>"}});
  write(folder.path() / "own.jinja", "own");
  const ChatTemplate own = read_chat_template(folder.path() / "own.jinja", folder.path());
  CHECK(own.text == "own");
  CHECK(own.place == (folder.path() / "own.jinja").string());
  CHECK(own.tokens.at("bos_token") == "<b>");
  CHECK_THROWS_AS(read_chat_template(folder.path() / "none.jinja", folder.path()), ConfigError);
  write(folder.path() / "own.jinja", "\xff");
  CHECK_THROWS_AS(read_chat_template(folder.path() / "own.jinja", folder.path()), ConfigError);
}

TEST_CASE("Tokens of a SentencePiece model have their usual names", "[tokenizer]") {
  const support::TempFolder folder;
  write(folder.path() / "chat_template.jinja", "x");
  write(folder.path() / "tokenizer.model", "");
  CHECK(chat_template(folder.path())->tokens ==
        Tokens{{"bos_token", "<s>"}, {"eos_token", "</s>"}});
}

}  // namespace labelprobe::tokenizer
