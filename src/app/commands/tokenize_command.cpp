// labelprobe tokenize: JSON strings or chats in, token ids out, one a line.
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/prompt/chat.h"
#include "labelprobe/tokenizer/chat_template.h"
#include "labelprobe/tokenizer/tokenizer.h"
#include "labelprobe/weights/locate.h"

#include "app/commands/command.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

std::string place_of(std::size_t line_number) {
  return "standard input:" + std::to_string(line_number);
}

std::string parse_line(const std::string& line, std::size_t line_number) {
  const nlohmann::json parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_string()) {
    throw DataError(place_of(line_number) + ": expected one JSON string, found '" +
                    line.substr(0, 60) + "'");
  }
  return parsed.get<std::string>();
}

// A list of messages, each with a role at least.
nlohmann::ordered_json parse_chat(const std::string& line, std::size_t line_number) {
  auto chat = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
  bool is_chat = chat.is_array() && !chat.empty();
  for (const auto& message : chat) {
    is_chat = is_chat && message.is_object() && message.contains("role");
  }
  if (!is_chat) {
    throw DataError(place_of(line_number) +
                    R"(: expected a list of messages such as [{"role": "user", "content": "Hi"}], )"
                    "found '" +
                    line.substr(0, 60) + "'");
  }
  return chat;
}

// Tokenizers are also found where there is no model: in a file of their own, or a folder with one.
std::filesystem::path locate_tokenizer(const std::string& name_or_path) {
  const std::filesystem::path path(name_or_path);
  std::error_code ignored;
  const bool has_tokenizer = std::filesystem::is_regular_file(path, ignored) ||
                             std::filesystem::exists(path / "tokenizer.json", ignored) ||
                             std::filesystem::exists(path / "tokenizer.model", ignored);
  return has_tokenizer ? path : weights::locate(name_or_path);
}

struct TokenizeFlags {
  std::string model;
  std::string splitting;
  bool no_special = false;
  bool is_chat = false;
  std::filesystem::path chat_template;
  bool shows_text = false;
};

void declare_flags(OptionList& options, TokenizeFlags& flags) {
  options.begin_group("Tokenizer");
  options.add(flags.model,
              {.name = "model_name_or_path",
               .help = "Folder of a model or tokenizer, tokenizer.json, tokenizer.model or .gguf "
                       "file, or name in the Hugging Face cache",
               .is_required = true,
               .shown = Shown::First,
               .value = "MODEL"});
  declare_splitting(options, flags.splitting);
  options.add(flags.no_special, {.name = "no_special",
                                 .help = "Leave out begin-of-text and the like",
                                 .shown = Shown::First});
  options.begin_group("Chats");
  options.add(flags.is_chat,
              {.name = "chat",
               .help = "Lines are chats, lists of messages as [{\"role\": \"user\", \"content\": "
                       "\"Hi\"}], put into the model's chat template with the header of the "
                       "answer; a chat that the template refuses becomes null",
               .shown = Shown::First});
  options.add(flags.chat_template,
              {.name = "chat_template",
               .help = "--chat: a file with a Jinja template, in place of the model's own",
               .value = "FILE"});
  options.add(flags.shows_text,
              {.name = "show_text",
               .help = "--chat: the text of the chat as a JSON string, in place of token ids"});
}

prompt::ChatFormat chat_format(const TokenizeFlags& flags, const std::filesystem::path& model) {
  auto found = flags.chat_template.empty()
                   ? tokenizer::chat_template(model)
                   : tokenizer::read_chat_template(flags.chat_template, model);
  if (!found) {
    throw ModelError(flags.model +
                     ": expected a model with a chat template, found none; name one with "
                     "--chat-template FILE");
  }
  return prompt::ChatFormat(found->text, found->place, found->tokens);
}

// Chats that the template refuses are told on standard error, and do not end the rest.
int tokenize_chats(const TokenizeFlags& flags) {
  const std::filesystem::path model = locate_tokenizer(flags.model);
  const prompt::ChatFormat format = chat_format(flags, model);
  const auto tokenizer = flags.shows_text ? nullptr : tokenizer::load(model, flags.splitting);
  std::size_t line_number = 0;
  std::size_t n_refused = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const nlohmann::ordered_json chat = parse_chat(line, ++line_number);
    nlohmann::json made;
    try {
      const std::string text = format.render(chat, prompt::ChatEnd::AnswerHeader);
      made = tokenizer ? nlohmann::json(tokenizer->encode(text, tokenizer::SpecialTokens::Omit))
                       : nlohmann::json(text);
    } catch (const ModelError& error) {
      std::cerr << place_of(line_number) << ": " << error.what() << '\n';
      ++n_refused;
    }
    std::cout << made.dump() << '\n';
  }
  std::cout.flush();
  if (n_refused > 0) {
    throw ModelError(std::to_string(n_refused) + " of " + std::to_string(line_number) +
                     " chats were refused");
  }
  return kSuccess;
}

int tokenize(const TokenizeFlags& flags) {
  if (flags.is_chat) return tokenize_chats(flags);
  if (!flags.chat_template.empty() || flags.shows_text) {
    throw ConfigError("--chat-template and --show-text are for chats: expected --chat");
  }
  const auto tokenizer = tokenizer::load(locate_tokenizer(flags.model), flags.splitting);
  const auto special =
      flags.no_special ? tokenizer::SpecialTokens::Omit : tokenizer::SpecialTokens::Add;
  std::size_t line_number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string text = parse_line(line, ++line_number);
    std::cout << nlohmann::json(tokenizer->encode(text, special)).dump() << '\n';
  }
  std::cout.flush();
  return kSuccess;
}

}  // namespace

Command tokenize_command() {
  return make_command<TokenizeFlags>(
      {CommandGroup::Tools, "tokenize",
       "Turn JSON strings or chats on standard input into token ids",
       "echo '\"Hello world\"' | labelprobe tokenize --model-name-or-path MODEL"},
      declare_flags, tokenize);
}

}  // namespace labelprobe::app
