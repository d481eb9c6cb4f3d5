#include "labelprobe/prompt/chat.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"

#include "prompt/jinja/program.h"

namespace labelprobe::prompt {

namespace {

constexpr auto kPromptModes = enum_names<PromptMode>(
    "prompt mode", {{PromptMode::Completion, "completion"}, {PromptMode::Chat, "chat"}});

constexpr auto kRoles = enum_names<Role>(
    "role", {{Role::System, "system"}, {Role::User, "user"}, {Role::Assistant, "assistant"}});

using jinja::Value;

// Only what a message says is marked as its own; roles are words of ours.
Value value_of(std::span<const Message> messages) {
  std::vector<Value> made;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    jinja::Text content = jinja::Text::of_source(messages[i].content, static_cast<int>(i));
    made.push_back(
        Value::dict({{Value::text("role"), Value::text(std::string(role_name(messages[i].role)))},
                     {Value::text("content"), Value::text(std::move(content))}}));
  }
  return Value::list(std::move(made));
}

// Where the label of an answer stands in the chat; the answer is its second message.
std::size_t find_label(const ChatText& chat,
                       std::size_t begin,
                       std::size_t n_bytes,
                       const ChatFormat& format) {
  for (const ChatText::Range& range : chat.contents) {
    const std::size_t first = range.message_begin;
    if (range.message == 1 && first != ChatText::Range::kChanged && first <= begin &&
        begin + n_bytes <= first + (range.end - range.begin)) {
      return range.begin + (begin - first);
    }
  }
  throw ModelError(format.place() +
                   ": expected a template that writes an assistant's message as it is, found one "
                   "that changes or leaves out its label; use --prompt-mode completion");
}

}  // namespace

struct ChatFormat::Template {
  jinja::Program program;
  jinja::Names names;

  jinja::Text run(Value messages, ChatEnd end) const {
    jinja::Names all = names;
    all.emplace_back("messages", std::move(messages));
    all.emplace_back("tools", Value());
    all.emplace_back("documents", Value());
    all.emplace_back("add_generation_prompt", Value(end == ChatEnd::AnswerHeader));
    return program.render(all);
  }
};

PromptMode parse_prompt_mode(std::string_view name) {
  return kPromptModes.parse(name);
}

std::string_view role_name(Role role) {
  return kRoles.name_of(role);
}

ChatFormat::ChatFormat(std::string_view text,
                       std::string place,
                       const std::map<std::string, std::string>& tokens)
    : place_(std::move(place)), is_dated_(text.find("strftime_now") != std::string_view::npos) {
  jinja::Names names;
  for (const auto& [name, token] : tokens) names.emplace_back(name, Value::text(token));
  template_ =
      std::make_shared<const Template>(Template{jinja::Program(text, place_), std::move(names)});
}

ChatText ChatFormat::render(std::span<const Message> messages, ChatEnd end) const {
  LABELPROBE_CHECK(!messages.empty());
  const jinja::Text written = template_->run(value_of(messages), end);
  ChatText chat{written.bytes(), {}};
  for (const jinja::Origin& origin : written.origins()) {
    chat.contents.push_back(
        {origin.begin, origin.end, static_cast<std::size_t>(origin.source), origin.source_begin});
  }
  return chat;
}

std::string ChatFormat::render(const nlohmann::ordered_json& messages, ChatEnd end) const {
  return template_->run(jinja::value_of_json(messages), end).bytes();
}

std::vector<LabelPlace> chat_label_places(const ChatFormat& format,
                                          const Templates& templates,
                                          const LabelSet& label_set,
                                          LabelPosition position) {
  Templates answers = templates;
  answers.incontext = templates.assistant;
  std::vector<LabelPlace> places;
  for (const LabelPlace& in_answer : label_places(answers, label_set, position)) {
    const std::array messages = {Message{Role::User, "text"},
                                 Message{Role::Assistant, in_answer.text}};
    ChatText chat = format.render(messages, ChatEnd::LastMessage);
    const std::size_t begin =
        find_label(chat, in_answer.label_begin, in_answer.spelling.size(), format);
    places.push_back({std::move(chat.text), begin, in_answer.spelling});
  }
  return places;
}

}  // namespace labelprobe::prompt
