#include "experiment/prepare/chats.h"

#include <algorithm>
#include <set>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::experiment {

namespace {

// Whether a message, and not the template, wrote these bytes.
bool is_message(const prompt::ChatText& chat, std::size_t begin, std::size_t end) {
  return std::any_of(chat.contents.begin(), chat.contents.end(),
                     [&](const prompt::ChatText::Range& range) {
                       return range.begin <= begin && end <= range.end;
                     });
}

// The ids of text[begin, end) and, in `cuts`, where special tokens in it have to be cut.
TokenIds encode_part(const prompt::ChatText& chat,
                     std::size_t begin,
                     std::size_t end,
                     const tokenizer::Tokenizer& tokenizer,
                     std::set<std::size_t>& cuts) {
  const std::string_view text = chat.text;
  tokenizer::Encoding encoding = tokenizer.encode_with_offsets(text.substr(begin, end - begin),
                                                               tokenizer::SpecialTokens::Omit);
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    const std::size_t token_begin = begin + encoding.begins[i];
    const std::size_t token_end = begin + encoding.ends[i];
    if (token_begin >= token_end || !is_message(chat, token_begin, token_end) ||
        !tokenizer.token_bytes(encoding.ids[i]).empty()) {
      continue;
    }
    const std::size_t cut = next_character_start(text, token_begin + 1);
    if (cut < token_end) {
      cuts.insert(cut);
    }
  }
  return std::move(encoding.ids);
}

}  // namespace

void check_chat_settings(const Settings& settings) {
  if (settings.mode != prompt::PromptMode::Chat) {
    return;
  }
  if (!settings.plan->can_chat) {
    throw ConfigError(
        "--prompt-mode chat asks for labels in an assistant's message: expected --distribution "
        "baseline, multilabel_ICL or verbalized, found one that asks otherwise; use --prompt-mode "
        "completion");
  }
  if (settings.plan->has_own_templates) {
    return;
  }
  for (const auto& [flag, is_given] :
       {std::pair{"--user-prompt", settings.templates.user.has_value()},
        std::pair{"--assistant-prompt", settings.templates.assistant.has_value()}}) {
    if (!is_given) {
      throw ConfigError(
          std::string("--prompt-mode chat needs --user-prompt (with {text}) and --assistant-prompt "
                      "(with {label}); ") +
          flag + " is not given");
    }
  }
}

prompt::ChatFormat chat_format(const Settings& settings, const tokenizer::Tokenizer& tokenizer) {
  if (!settings.chat_template) {
    throw ModelError(
        "--prompt-mode chat: expected a model with a chat template (chat_template.jinja, "
        "tokenizer_config.json or the GGUF key tokenizer.chat_template), found none; use a model "
        "tuned for chats or --prompt-mode completion");
  }
  prompt::ChatFormat format = prompt::ChatFormat::recognise(*settings.chat_template);
  for (const std::string& token : format.special_tokens()) {
    if (!tokenizer.special_id(token)) {
      throw ModelError("chat template of the family " + std::string(format.family()) +
                       ": expected the special token '" + token +
                       "' in the tokenizer, found none; use --prompt-mode completion");
    }
  }
  return format;
}

TokenIds encode_chat(const prompt::ChatText& chat,
                     const tokenizer::Tokenizer& tokenizer,
                     bool& has_spelled) {
  std::set<std::size_t> cuts = {chat.text.size()};
  for (;;) {
    const std::set<std::size_t> known = cuts;
    TokenIds ids;
    std::size_t begin = 0;
    for (const std::size_t end : known) {
      const TokenIds part = encode_part(chat, begin, end, tokenizer, cuts);
      ids.insert(ids.end(), part.begin(), part.end());
      begin = end;
    }
    if (cuts.size() == known.size()) {
      return ids;
    }
    has_spelled = true;
  }
}

}  // namespace labelprobe::experiment
