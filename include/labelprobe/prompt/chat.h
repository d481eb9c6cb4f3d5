// Chats: messages, and the text that a chat model's own template makes of them.
// Goals: byte for byte what Hugging Face's apply_chat_template writes. The template is a program,
// and is run; what of the language is not known is refused by line, see
// src/prompt/jinja/program.h. Non-goals: tools, pictures, thoughts kept beside a message.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "labelprobe/core/label_set.h"
#include "labelprobe/prompt/template.h"

namespace labelprobe::prompt {

enum class PromptMode {
  Completion,  // one text
  Chat,        // messages: a system message, demonstrations as earlier turns, the query
};

// "completion", "chat"; ConfigError naming them for anything else.
PromptMode parse_prompt_mode(std::string_view name);

enum class Role { System, User, Assistant };

// "system", "user", "assistant"
std::string_view role_name(Role role);

struct Message {
  Role role = Role::User;
  std::string content;
};

// A chat as the model reads it.
struct ChatText {
  // Bytes [begin, end) of the text are those of a message from `message_begin` on.
  struct Range {
    static constexpr std::size_t kChanged = static_cast<std::size_t>(-1);

    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t message = 0;        // its place among the messages
    std::size_t message_begin = 0;  // kChanged: the template spells the message otherwise
  };
  std::string text;
  // What comes from messages, in order; everything else is the template's.
  std::vector<Range> contents;
};

enum class ChatEnd {
  AnswerHeader,  // an assistant's message is begun, for the model to write it
  LastMessage,
};

// The date that templates are told when they ask for today's, so that equal runs have equal
// prompts: the one that Llama-3.1's template falls back to. "2024-07-26"
inline constexpr std::string_view kChatDate = "2024-07-26";

class ChatFormat {
 public:
  // `text` is a template. `place` opens every message about it: "<place>:<line>: ..". `tokens` are
  // names that the template may use, as {"bos_token", "<s>"}. Throws ModelError for what is no
  // template, or one with statements that are not supported.
  ChatFormat(std::string_view text,
             std::string place,
             const std::map<std::string, std::string>& tokens);

  // At most one system message, and that first; then user and assistant in turns. Throws ModelError
  // if the template refuses the messages (many have no place for a system message), does what is
  // not supported, or exceeds a limit of core/limits.h.
  ChatText render(std::span<const Message> messages, ChatEnd end) const;

  // The same of messages as JSON, which may have more members and other roles.
  std::string render(const nlohmann::ordered_json& messages, ChatEnd end) const;

  const std::string& place() const { return place_; }

  // Whether the template asks for the date.
  bool is_dated() const { return is_dated_; }

 private:
  struct Template;
  std::shared_ptr<const Template> template_;
  std::string place_;
  bool is_dated_ = false;
};

// label_places() for chats: the label in the assistant's message of one demonstration. Throws
// ModelError if the template does not write that message as it is.
std::vector<LabelPlace> chat_label_places(const ChatFormat& format,
                                          const Templates& templates,
                                          const LabelSet& label_set,
                                          LabelPosition position = LabelPosition::First);

}  // namespace labelprobe::prompt
