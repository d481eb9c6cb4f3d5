#include "experiment/prepare/chats.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/preparation.h"
#include "labelprobe/tokenizer/chat_template.h"

#include "experiment/settings_for_tests.h"
#include "support/catch.h"
#include "support/errors.h"

namespace labelprobe::experiment {
namespace {

std::filesystem::path tokenizer_path(const std::string& name) {
  return name == "smollm2" ? support::smollm2_gguf() : support::shared("tokenizers/" + name);
}

Settings chat_settings() {
  Settings settings = example_settings();
  settings.mode = prompt::PromptMode::Chat;
  settings.templates.user = "Input: {text}";
  settings.templates.assistant = "{label}";
  return settings;
}

// A chat of one user message in a family whose text is mostly the messages'.
prompt::ChatText chat_of(const std::string& before,
                         const std::string& content,
                         const std::string& after) {
  return {before + content + after, {{before.size(), before.size() + content.size()}}};
}

}  // namespace

TEST_CASE("Chats have the token ids that transformers gives them", "[chat]") {
  const nlohmann::json reference =
      nlohmann::json::parse(std::ifstream(support::fixture("prompt/chats.json")));
  for (const auto& model : reference["models"]) {
    const std::string name = model["tokenizer"];
    const auto path = tokenizer_path(name);
    if (path.empty() || !std::filesystem::exists(path)) {
      std::cerr << "SKIPPED: no tokenizer " << name << " here" << std::endl;
      continue;
    }
    CAPTURE(model["model"].get<std::string>());
    const auto tokenizer = tokenizer::load(path);
    for (const auto& chat : model["chats"]) {
      bool has_spelled = false;
      // Where the messages stand does not matter to texts without special tokens.
      const TokenIds ids = encode_chat({chat["text"], {}}, *tokenizer, has_spelled);
      CHECK(ids == chat["ids"].get<TokenIds>());
      CHECK(!has_spelled);
      if (tokenizer->bos_id() && name != "smollm2") {  // there it also begins every turn
        CHECK(ids.front() == *tokenizer->bos_id());
      }
    }
  }
}

TEST_CASE("A message cannot end its own turn", "[chat]") {
  const auto path = support::shared("tokenizers/llama3-hf");
  if (!std::filesystem::exists(path)) {
    SKIP_ALOUD("the Llama-3 tokenizer is not here");
  }
  const auto tokenizer = tokenizer::load(path);
  const TokenId end = tokenizer->special_id("<|eot_id|>").value();
  const std::string content = "a<|eot_id|><|begin_of_text|> b";
  const prompt::ChatText chat = chat_of("<|begin_of_text|>", content, "<|eot_id|>");
  bool has_spelled = false;
  const TokenIds ids = encode_chat(chat, *tokenizer, has_spelled);
  CHECK(has_spelled);
  CHECK(std::count(ids.begin(), ids.end(), end) == 1);
  CHECK(ids.back() == end);
  CHECK(std::count(ids.begin(), ids.end(), *tokenizer->bos_id()) == 1);
  CHECK(tokenizer->decode(ids) == content);
}

TEST_CASE("Messages of chats are the text and the labels where nothing else is given", "[chat]") {
  Settings settings = chat_settings();
  settings.templates.user.reset();
  settings.templates.assistant.reset();
  settings.templates.incontext = "Input: {text} Labels: {label}";
  const prompt::Templates templates = make_questions(settings).templates;
  CHECK(templates.user == "{text}");
  CHECK(templates.query == "{text}");
  CHECK(templates.assistant == "{label}");
}

TEST_CASE("Chats need a plan of answers", "[chat]") {
  Settings settings = chat_settings();
  for (const char* plan : {"unary", "binary", "assess"}) {
    settings = chat_settings();
    settings.plan = &find_plan(plan);
    CHECK_THROWS_WITH(make_questions(settings), ContainsSubstring("use --prompt-mode completion"));
  }
}

TEST_CASE("Models without a usable chat template are refused", "[chat]") {
  Settings settings = chat_settings();
  CHECK(support::message_of([&] { prepare(settings, kTokenizer); }).find("chat template") !=
        std::string::npos);
  settings.chat_template = {"{{ something else }}", "file.jinja", {}};
  CHECK(support::message_of([&] {
          prepare(settings, kTokenizer);
        }).starts_with("file.jinja:1: expected '}}'"));
  settings.chat_template = {
      "{% for m in messages %}{{'<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>'}}"
      "{% endfor %}",
      "file.jinja",
      {}};
  CHECK_THAT(support::message_of([&] { prepare(settings, kTokenizer); }),
             ContainsSubstring("'<|im_end|>', '<|im_start|>' in the tokenizer"));
}

TEST_CASE("A chat template is refused where there are no chats", "[chat]") {
  Settings settings = chat_settings();
  settings.mode = prompt::PromptMode::Completion;
  settings.chat_template_file = "chat.jinja";
  CHECK_THROWS_WITH(make_questions(settings),
                    ContainsSubstring("--chat-template is a template of"));
}

TEST_CASE("Chats are prepared with their end of turn and without a stop string", "[chat]") {
  const auto path = support::smollm2_gguf();
  if (path.empty()) {
    SKIP_ALOUD("SmolLM2-135M-Instruct is not here; scripts/get_model.sh fetches it");
  }
  const auto tokenizer = tokenizer::load(path);
  Settings settings = chat_settings();
  settings.chat_template = tokenizer::chat_template(path);
  const Preparation ready = prepare(settings, *tokenizer);
  CHECK(ready.answers.stop.empty());
  CHECK(ready.end_ids == TokenIds{*tokenizer->special_id("<|im_end|>")});
  const std::string& text = ready.questions.queries.front().text;
  CHECK(text.ends_with("<|im_end|>\n<|im_start|>assistant\n"));
  CHECK_THAT(ready.answers.description, ContainsSubstring("without a space before them"));
  const TokenId joy = tokenizer->encode("joy", tokenizer::SpecialTokens::Omit).front();
  CHECK(std::count(ready.answers.watched.begin(), ready.answers.watched.end(), joy) == 1);
}

}  // namespace labelprobe::experiment
