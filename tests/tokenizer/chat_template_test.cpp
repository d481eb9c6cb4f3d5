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

}  // namespace

TEST_CASE("Chat templates are read where models keep them", "[tokenizer]") {
  const support::TempFolder folder;
  CHECK(!chat_template(folder.path()));

  const auto config = folder.path() / "tokenizer_config.json";
  write(config, R"({"bos_token": "<s>"})");
  CHECK(!chat_template(folder.path()));
  write(config, R"({"chat_template": "one"})");
  CHECK(chat_template(folder.path()) == "one");
  CHECK(chat_template(folder.path() / "tokenizer.json") == "one");
  write(config, R"({"chat_template": [{"name": "rag", "template": "two"},
                                      {"name": "default", "template": "three"}]})");
  CHECK(chat_template(folder.path()) == "three");
  write(folder.path() / "chat_template.jinja", "four\n");
  CHECK(chat_template(folder.path()) == "four\n");
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
  write(folder.path() / "chat_template.jinja", "\xff");
  CHECK_THROWS_WITH(chat_template(folder.path()), ContainsSubstring("expected UTF-8"));
}

TEST_CASE("The chat template of a GGUF file is the one in it", "[tokenizer]") {
  const auto model = support::smollm2_gguf();
  if (model.empty()) {
    SKIP_ALOUD("SmolLM2-135M-Instruct is not here; scripts/get_model.sh fetches it");
  }
  const auto text = chat_template(model);
  REQUIRE(text);
  CHECK(text->find("<|im_start|>") != std::string::npos);
}

}  // namespace labelprobe::tokenizer
