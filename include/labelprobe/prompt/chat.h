// Chats: messages, and the text that a chat model's own template makes of them.
// Goals: the families below, byte for byte as Hugging Face's apply_chat_template writes them with
// the header of the answer. Non-goals: running templates (they are programs, and only looked at),
// tools, pictures, templates of other families.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::string text;
  // Bytes of `text` that come from messages, in order; everything else is the template's. Llama-2
  // puts the system message and the first user message into one.
  std::vector<Range> contents;
};

enum class ChatEnd {
  AnswerHeader,  // an assistant's message is begun, for the model to write it
  LastMessage,
};

class ChatFormat {
 public:
  // The family of a template's text. Throws ModelError with the text's beginning and the known
  // families if it is of none of them.
  static ChatFormat recognise(std::string_view template_text);

  // "Llama-2", "Llama-3.0", "Llama-3.1" (to 3.3), "Qwen2.5", "ChatML"
  std::string_view family() const;

  // The special tokens it writes; the last one ends a turn. The begin-of-text token, where the
  // family has one, is among them: it must not be added again.
  std::vector<std::string> special_tokens() const;

  // At most one system message, and that first; then user and assistant in turns. Llama-3.1 dates
  // its system message: always 26 Jul 2024, the date in the template itself, so that equal runs
  // have equal prompts.
  ChatText render(std::span<const Message> messages, ChatEnd end) const;

  enum class Family { Llama2, Llama30, Llama31, Qwen25, ChatMl };

 private:
  Family family_ = Family::ChatMl;
  std::string default_system_;  // ChatML and Qwen2.5: shown if there is no system message
};

// label_places() for chats: the label in the assistant's message of one demonstration.
std::vector<LabelPlace> chat_label_places(const ChatFormat& format,
                                          const Templates& templates,
                                          const LabelSet& label_set,
                                          LabelPosition position = LabelPosition::First);

}  // namespace labelprobe::prompt
