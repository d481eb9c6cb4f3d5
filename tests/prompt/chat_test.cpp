#include "labelprobe/prompt/chat.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/queries.h"

#include "prompt/toys.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"

namespace labelprobe::prompt {
namespace {

const nlohmann::json& reference() {
  static const nlohmann::json held =
      nlohmann::json::parse(std::ifstream(support::fixture("prompt/chats.json")));
  return held;
}

ChatFormat format_of(const nlohmann::json& model) {
  return ChatFormat(model["template"].get<std::string>(), "template",
                    {{"bos_token", model["bos_token"]}, {"eos_token", model["eos_token"]}});
}

std::vector<Message> messages_of(const nlohmann::json& chat) {
  std::vector<Message> messages;
  for (const auto& message : chat["messages"]) {
    const std::string role = message["role"];
    messages.push_back({role == "system" ? Role::System
                        : role == "user" ? Role::User
                                         : Role::Assistant,
                        message["content"]});
  }
  return messages;
}

ChatFormat format_named(const std::string& model_name) {
  for (const auto& model : reference()["models"]) {
    if (model["model"] == model_name) {
      return format_of(model);
    }
  }
  throw InternalError("no such model in the fixture");
}

ChatFormat format_of(const char* text) {
  return ChatFormat(text, "model.jinja", {{"bos_token", "<s>"}, {"eos_token", "</s>"}});
}

}  // namespace

TEST_CASE("Chats are the texts that transformers renders for every family", "[chat]") {
  int n_chats = 0;
  for (const auto& model : reference()["models"]) {
    CAPTURE(model["model"].get<std::string>());
    const ChatFormat format = format_of(model);
    for (const auto& chat : model["chats"]) {
      CHECK(format.render(messages_of(chat), ChatEnd::AnswerHeader).text == chat["text"]);
      ++n_chats;
    }
  }
  CHECK(n_chats == 28);
}

TEST_CASE("A chat tells which bytes are the messages'", "[chat]") {
  const std::vector<Message> messages = {{Role::User, " one "}, {Role::Assistant, "two"}};
  const auto parts = [&](const std::string& model) {
    const ChatText chat = format_named(model).render(messages, ChatEnd::LastMessage);
    std::vector<std::string> found;
    for (const ChatText::Range& range : chat.contents) {
      found.push_back(chat.text.substr(range.begin, range.end - range.begin));
    }
    return found;
  };
  CHECK(parts("SmolLM2-135M-Instruct") == std::vector<std::string>{" one ", "two"});
  CHECK(parts("Llama-3.1-8B-Instruct") == std::vector<std::string>{"one", "two"});
  CHECK(parts("Llama-2-13b-chat-hf") == std::vector<std::string>{"one", "two"});
}

TEST_CASE("A template says with its file and line what it refuses", "[chat]") {
  const ChatFormat format = format_of(
      "{{ bos_token }}\n{% for m in messages %}\n{% if m.role == 'system' %}\n"
      "{{ raise_exception('System role not supported') }}\n{% endif %}\n{% endfor %}");
  const std::vector<Message> messages = {{Role::System, "S"}, {Role::User, "U"}};
  CHECK(support::message_of([&] { format.render(messages, ChatEnd::AnswerHeader); }) ==
        "model.jinja:4: the template refuses this chat: System role not supported");
  CHECK(support::message_of([] {
          format_of("a\n{% import 'x' %}");
        }).starts_with("model.jinja:2: statement 'import' is not supported"));
}

TEST_CASE("A template has the names that transformers gives it, and a date of its own", "[chat]") {
  const std::vector<Message> messages = {{Role::User, "U"}};
  const auto text = [&](const char* form, ChatEnd end) {
    return format_of(form).render(messages, end).text;
  };
  CHECK(text("{{ bos_token }}{{ eos_token }}{{ tools }}{{ documents }}{{ add_generation_prompt }}"
             "{{ unk_token is defined }}",
             ChatEnd::AnswerHeader) == "<s></s>NoneNoneTrueFalse");
  CHECK(text("{{ add_generation_prompt }}", ChatEnd::LastMessage) == "False");
  CHECK(text("{{ strftime_now('%Y-%m-%d') }}", ChatEnd::LastMessage) == kChatDate);
  CHECK(format_of("{{ strftime_now('%Y') }}").is_dated());
  CHECK(!format_of("{{ messages }}").is_dated());
}

TEST_CASE("Labels are found in answers that a template cuts, and missed aloud", "[chat]") {
  Templates templates;
  templates.user = "{text}";
  templates.assistant = "  Label: {label}";
  const LabelSet labels = toy_go_emotions_labels();
  const auto places = [&](const char* form) {
    return chat_label_places(format_of(form), templates, labels);
  };
  const auto cut = places("{% for m in messages %}<{{ m.content.split(': ')[-1] }}>{% endfor %}");
  CHECK(cut.front().text == "<text><joy>");
  CHECK(cut.front().label_begin == 7);
  CHECK(support::message_of([&] {
          places("{% for m in messages %}{{ m.content | tojson | length }}{% endfor %}");
        }).starts_with("model.jinja: expected a template that writes an assistant's message"));
}

TEST_CASE("Labels stand in the assistant's message", "[chat]") {
  Templates templates;
  templates.user = "Input: {text}";
  templates.assistant = " Label: {label}";
  templates.incontext = "unused {text} {label}";
  const LabelSet labels = toy_go_emotions_labels();
  for (const char* model :
       {"SmolLM2-135M-Instruct", "Llama-3.2-3B-Instruct", "Llama-2-13b-chat-hf"}) {
    CAPTURE(model);
    const auto first = chat_label_places(format_named(model), templates, labels);
    REQUIRE(first.size() == 8);
    for (std::size_t i = 0; i < first.size(); ++i) {
      const std::string name = labels.names_with_none()[i];
      CHECK(first[i].text.substr(first[i].label_begin, name.size()) == name);
      CHECK(first[i].text.substr(first[i].label_begin - 7, 7) == "Label: ");
    }
    const auto later =
        chat_label_places(format_named(model), templates, labels, LabelPosition::Later);
    REQUIRE(later.size() == 8);
    CHECK(later[4].text.substr(later[4].label_begin - 5, 9) == "joy, fear");
  }
}

TEST_CASE("The instruction stands before the first question of a chat", "[chat]") {
  QueryOptions options;
  options.mode = PromptMode::Chat;
  options.templates.system = "S";
  options.templates.instruction = "I\n";
  options.templates.user = "Q {text}";
  options.templates.assistant = "A {label}";
  options.templates.query = "Q {text}";
  options.templates.incontext = "Q {text}\nA {label}\n";
  const auto items = toy_m();
  const std::vector<Example> queries = {items[7]};
  const auto written = [&](int n_shots) {
    options.n_shots = n_shots;
    const auto made = make_baseline({items, queries, toy_m_labels(), options});
    std::vector<std::string> texts;
    for (const Message& message : made.at(0).messages) {
      texts.push_back(std::string(role_name(message.role)) + ": " + message.content);
    }
    return texts;
  };
  CHECK(written(0) == std::vector<std::string>{"system: S", "user: I\nQ text 7"});
  const auto two = written(2);
  REQUIRE(two.size() == 6);
  CHECK(two[1].starts_with("user: I\nQ text "));
  CHECK(two[2].starts_with("assistant: A "));
  CHECK(two[3].starts_with("user: Q text "));
  CHECK(two[5] == "user: Q text 7");

  options.templates.assistant = "no place";
  CHECK_THROWS_WITH(written(2),
                    ContainsSubstring("assistant template: expected the placeholder {label}"));
}

TEST_CASE("Prompt modes have names", "[chat]") {
  CHECK(parse_prompt_mode("chat") == PromptMode::Chat);
  CHECK(parse_prompt_mode("completion") == PromptMode::Completion);
  CHECK_THROWS_WITH(parse_prompt_mode("chatt"), ContainsSubstring("did you mean 'chat'"));
}

}  // namespace labelprobe::prompt
