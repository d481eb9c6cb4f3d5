#include "labelprobe/prompt/chat.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/core.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/python/text.h"

namespace labelprobe::prompt {

namespace {

constexpr auto kPromptModes = enum_names<PromptMode>(
    "prompt mode", {{PromptMode::Completion, "completion"}, {PromptMode::Chat, "chat"}});

constexpr auto kRoles = enum_names<Role>(
    "role", {{Role::System, "system"}, {Role::User, "user"}, {Role::Assistant, "assistant"}});

using Family = ChatFormat::Family;

constexpr std::string_view kImStart = "<|im_start|>";
constexpr std::string_view kImEnd = "<|im_end|>";
constexpr std::string_view kBeginOfText = "<|begin_of_text|>";
constexpr std::string_view kStartHeader = "<|start_header_id|>";
constexpr std::string_view kEndHeader = "<|end_header_id|>";
constexpr std::string_view kEotId = "<|eot_id|>";

// Llama-3.1's preamble; the date is the one the templates fall back to.
constexpr std::string_view kDates =
    "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";

constexpr std::size_t kMostFragments = 4;

// What tells a family's templates, in condensed() form. All of `present` and none of `absent`.
struct Signature {
  Family family;
  std::string_view name;
  std::array<std::string_view, kMostFragments> present;
  std::array<std::string_view, kMostFragments> absent;
};

// The first that fits. What is absent keeps out relatives that write something else: a system
// message shown only if given, answers stripped of their thoughts, another default.
constexpr std::array kSignatures = {
    Signature{Family::Llama2,
              "Llama-2",
              {"bos_token+'[INST]'+content.strip()+'[/INST]'",
               "'<<SYS>>'+system_message+'<</SYS>>'+message['content']",
               "''+content.strip()+''+eos_token"},
              {}},
    Signature{
        Family::Llama2,
        "Llama-2",
        {"bos_token+'[INST]'+content|trim+'[/INST]'",
         "'<<SYS>>'+system_message+'<</SYS>>'+message['content']", "''+content|trim+''+eos_token"},
        {}},
    Signature{Family::Llama31,
              "Llama-3.1",
              {"{{-'<|start_header_id|>system<|end_header_id|>'}}",
               "{{-'CuttingKnowledgeDate:December2023'}}", "{{-'TodayDate:'+date_string+''}}",
               "'<|start_header_id|>'+message['role']+'<|end_header_id|>'+message['content']|trim+'"
               "<|eot_id|>'"},
              {"{%-ifsystem_message%}", "<think>"}},
    Signature{Family::Llama30,
              "Llama-3.0",
              {"'<|start_header_id|>'+message['role']+'<|end_header_id|>'+message['content']|trim+'"
               "<|eot_id|>'",
               "bos_token+content", "'<|start_header_id|>assistant<|end_header_id|>'"},
              {"messages[0]", "KnowledgeDate", "<think>", "messages[1:]"}},
    Signature{Family::Qwen25,
              "Qwen2.5",
              {"'<|im_start|>system'+messages[0]['content']+'<|im_end|>'",
               "'<|im_start|>'+message.role+''+message.content+'<|im_end|>'+''",
               "'<|im_start|>assistant'", "not message.tool_calls"},
              {"<think>", "reasoning_content"}},
    Signature{Family::ChatMl,
              "ChatML",
              {"'<|im_start|>'+message['role']+''+message['content']+'<|im_end|>'+''",
               "'<|im_start|>assistant'"},
              {"<think>", "messages[1:]", "bos_token"}},
    Signature{Family::ChatMl,
              "ChatML",
              {"'<|im_start|>'+message['role']+''+message['content']+'<|im_end|>'}}",
               "'<|im_start|>assistant'"},
              {"<think>", "messages[1:]", "bos_token"}},
};

// Without whitespace and line breaks, escaped or not, and with one kind of quotes: templates are
// published with many spacings.
std::string condensed(std::string_view text) {
  std::string kept;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == 'n') {
      ++i;
    } else if (std::string_view(" \t\r\n").find(text[i]) == std::string_view::npos) {
      kept += text[i] == '"' ? '\'' : text[i];
    }
  }
  return kept;
}

bool holds(std::string_view text, std::string_view fragment) {
  return text.find(condensed(fragment)) != std::string_view::npos;
}

bool fits(const Signature& signature, std::string_view text) {
  return std::all_of(signature.present.begin(), signature.present.end(),
                     [&](std::string_view fragment) { return holds(text, fragment); }) &&
         std::none_of(
             signature.absent.begin(), signature.absent.end(),
             [&](std::string_view fragment) { return !fragment.empty() && holds(text, fragment); });
}

// The line break a literal begins or ends with, as the template's text has it.
std::size_t line_break_at(std::string_view text) {
  return text.starts_with("\\n") ? 2 : text.starts_with('\n') ? 1 : 0;
}

// What a ChatML template says in place of a missing system message; nullopt if it says nothing.
std::optional<std::string> default_system(std::string_view text) {
  const std::string opening = fmt::format("{}system", kImStart);
  for (std::size_t at = text.find(opening); at != std::string_view::npos;
       at = text.find(opening, at + 1)) {
    std::string_view rest = text.substr(at + opening.size());
    rest.remove_prefix(line_break_at(rest));
    const std::string_view literal = rest.substr(0, rest.find(kImEnd));
    if (literal.size() < rest.size() &&
        literal.find_first_of("'\"{}\\") == std::string_view::npos) {
      return std::string(literal);
    }
  }
  return std::nullopt;
}

[[noreturn]] void refuse(std::string_view text) {
  constexpr std::size_t kShown = 120;
  const std::size_t n_shown = character_start(text, std::min(kShown, text.size()));
  std::string known;
  std::string_view last;
  for (const Signature& signature : kSignatures) {
    if (signature.name != last) {
      known.append(last.empty() ? "" : ", ").append(signature.name);
    }
    last = signature.name;
  }
  throw ModelError(
      fmt::format("chat template: expected one of a known family ({}), found one that begins '{}'; "
                  "--prompt-mode completion works with every model",
                  known, text.substr(0, n_shown)));
}

// Appends to a chat, minding what is the messages'.
class Writer {
 public:
  Writer& own(std::string_view text) {
    chat_.text += text;
    return *this;
  }

  Writer& content(std::string_view text) {
    const std::size_t begin = chat_.text.size();
    chat_.text += text;
    chat_.contents.push_back({begin, chat_.text.size()});
    return *this;
  }

  ChatText take() { return std::move(chat_); }

 private:
  ChatText chat_;
};

ChatText render_llama2(std::span<const Message> messages) {
  Writer writer;
  std::string before;
  for (const Message& message : messages) {
    switch (message.role) {
      case Role::System:
        before = fmt::format("<<SYS>>\n{}\n<</SYS>>\n\n", message.content);
        break;
      case Role::User:
        writer.own("<s>[INST] ").content(python::strip(before + message.content)).own(" [/INST]");
        before.clear();
        break;
      case Role::Assistant:
        writer.own(" ").content(python::strip(message.content)).own(" </s>");
        break;
    }
  }
  return writer.take();  // the answer has no header
}

void write_llama3_header(Writer& writer, Role role) {
  writer.own(kStartHeader).own(role_name(role)).own(kEndHeader).own("\n\n");
}

ChatText render_llama3(std::span<const Message> messages, ChatEnd end, bool is_dated) {
  Writer writer;
  writer.own(kBeginOfText);
  if (is_dated) {
    write_llama3_header(writer, Role::System);
    writer.own(kDates);
    if (messages.front().role == Role::System) {
      writer.content(python::strip(messages.front().content));
      messages = messages.subspan(1);
    }
    writer.own(kEotId);
  }
  for (const Message& message : messages) {
    write_llama3_header(writer, message.role);
    writer.content(python::strip(message.content)).own(kEotId);
  }
  if (end == ChatEnd::AnswerHeader) {
    write_llama3_header(writer, Role::Assistant);
  }
  return writer.take();
}

ChatText render_chatml(std::span<const Message> messages,
                       ChatEnd end,
                       const std::string& default_system) {
  Writer writer;
  if (messages.front().role != Role::System && !default_system.empty()) {
    writer.own(kImStart).own("system\n").own(default_system).own(kImEnd).own("\n");
  }
  for (const Message& message : messages) {
    writer.own(kImStart).own(role_name(message.role)).own("\n");
    writer.content(message.content).own(kImEnd).own("\n");
  }
  if (end == ChatEnd::AnswerHeader) {
    writer.own(kImStart).own("assistant\n");
  }
  return writer.take();
}

}  // namespace

PromptMode parse_prompt_mode(std::string_view name) {
  return kPromptModes.parse(name);
}

std::string_view role_name(Role role) {
  return kRoles.name_of(role);
}

ChatFormat ChatFormat::recognise(std::string_view template_text) {
  const std::string text = condensed(template_text);
  const auto found =
      std::find_if(kSignatures.begin(), kSignatures.end(),
                   [&](const Signature& signature) { return fits(signature, text); });
  if (found == kSignatures.end()) {
    refuse(template_text);
  }
  ChatFormat format;
  format.family_ = found->family;
  if (format.family_ == Family::ChatMl || format.family_ == Family::Qwen25) {
    const auto system = default_system(template_text);
    if (!system && holds(text, "messages[0]")) {
      refuse(template_text);  // the first message is looked at, and not for a default we can read
    }
    format.default_system_ = system.value_or("");
  }
  return format;
}

std::string_view ChatFormat::family() const {
  return std::find_if(kSignatures.begin(), kSignatures.end(),
                      [&](const Signature& signature) { return signature.family == family_; })
      ->name;
}

std::vector<std::string> ChatFormat::special_tokens() const {
  switch (family_) {
    case Family::Llama2:
      return {"<s>", "</s>"};
    case Family::Llama30:
    case Family::Llama31:
      return {std::string(kBeginOfText), std::string(kStartHeader), std::string(kEndHeader),
              std::string(kEotId)};
    case Family::Qwen25:
    case Family::ChatMl:
      break;
  }
  return {std::string(kImStart), std::string(kImEnd)};
}

ChatText ChatFormat::render(std::span<const Message> messages, ChatEnd end) const {
  LABELPROBE_CHECK(!messages.empty());
  switch (family_) {
    case Family::Llama2:
      return render_llama2(messages);
    case Family::Llama30:
      return render_llama3(messages, end, /*is_dated=*/false);
    case Family::Llama31:
      return render_llama3(messages, end, /*is_dated=*/true);
    case Family::Qwen25:
    case Family::ChatMl:
      break;
  }
  return render_chatml(messages, end, default_system_);
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
    const ChatText::Range shown = chat.contents.back();
    const bool is_stripped = shown.end - shown.begin < in_answer.text.size();
    const std::size_t n_removed =
        is_stripped
            ? static_cast<std::size_t>(python::strip(in_answer.text).data() - in_answer.text.data())
            : 0;
    places.push_back({std::move(chat.text), shown.begin + in_answer.label_begin - n_removed,
                      in_answer.spelling});
  }
  return places;
}

}  // namespace labelprobe::prompt
