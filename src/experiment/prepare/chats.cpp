#include "experiment/prepare/chats.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::experiment {

namespace {

// A question and its answer, as the shortest chat that has all of a template's marks.
const std::array kProbe = {prompt::Message{prompt::Role::User, "text"},
                           prompt::Message{prompt::Role::Assistant, "label"}};

// Whether messages, and not the template, wrote these bytes.
bool is_message(const prompt::ChatText& chat, std::size_t begin, std::size_t end) {
  for (const prompt::ChatText::Range& range : chat.contents) {
    if (range.begin > begin) break;
    begin = std::max(begin, std::min(range.end, end));
  }
  return begin == end;
}

// Adds the marks "<|..|>" that the template itself writes.
void add_marks(const prompt::ChatText& chat, std::set<std::string>& marks) {
  const std::string& text = chat.text;
  for (std::size_t at = 0; (at = text.find("<|", at)) != std::string::npos; ++at) {
    const std::size_t end = text.find("|>", at + 2);
    if (end == std::string::npos) break;
    const std::string mark = text.substr(at, end + 2 - at);
    const bool is_word = mark.find_first_of(" \t\n") == std::string::npos;
    if (is_word && !is_message(chat, at, at + mark.size())) marks.insert(mark);
  }
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
    if (!settings.chat_template_file.empty()) {
      throw ConfigError(
          "--chat-template is a template of chats: expected --prompt-mode chat, found completion");
    }
    return;
  }
  if (!settings.plan->can_chat) {
    throw ConfigError(
        "--prompt-mode chat asks for labels in an assistant's message: expected --distribution "
        "baseline, multilabel_ICL or verbalized, found one that asks otherwise; use --prompt-mode "
        "completion");
  }
}

prompt::ChatFormat chat_format(const Settings& settings,
                               const tokenizer::Tokenizer& tokenizer,
                               std::vector<std::string>& warnings) {
  if (!settings.chat_template) {
    throw ModelError(
        "--prompt-mode chat: expected a model with a chat template (chat_template.jinja, "
        "tokenizer_config.json or the GGUF key tokenizer.chat_template), found none; name one with "
        "--chat-template FILE, or use a model tuned for chats or --prompt-mode completion");
  }
  const tokenizer::ChatTemplate& given = *settings.chat_template;
  prompt::ChatFormat format(given.text, given.place, given.tokens);
  std::set<std::string> marks;
  add_marks(format.render(std::span(kProbe).first(1), prompt::ChatEnd::AnswerHeader), marks);
  add_marks(format.render(kProbe, prompt::ChatEnd::LastMessage), marks);
  std::vector<std::string> missing;
  std::copy_if(marks.begin(), marks.end(), std::back_inserter(missing),
               [&](const std::string& mark) { return !tokenizer.special_id(mark); });
  if (missing.empty()) return format;
  const std::string shown = fmt::format("'{}'", fmt::join(missing, "', '"));
  if (missing.size() == marks.size()) {
    throw ModelError(
        fmt::format("{}: expected the special tokens {} in the tokenizer, found none of them; use "
                    "--prompt-mode "
                    "completion",
                    given.place, shown));
  }
  warnings.push_back(fmt::format(
      "the chat template writes {}, which the tokenizer has no special tokens for; they are "
      "ordinary text",
      shown));
  return format;
}

TokenIds end_of_turn(const prompt::ChatFormat& format, const tokenizer::Tokenizer& tokenizer) {
  const prompt::ChatText chat = format.render(kProbe, prompt::ChatEnd::LastMessage);
  std::size_t end = 0;
  for (const prompt::ChatText::Range& range : chat.contents) {
    if (range.message == 1) end = range.end;
  }
  if (end == 0) return {};
  for (const TokenId id :
       tokenizer.encode(std::string_view(chat.text).substr(end), tokenizer::SpecialTokens::Omit)) {
    if (tokenizer.token_bytes(id).empty()) return {id};
  }
  return {};
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
