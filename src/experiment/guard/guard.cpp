#include "labelprobe/experiment/guard.h"

#include <algorithm>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/readout/readouts.h"

#include "experiment/prepare/chats.h"

namespace labelprobe::experiment {

namespace {

void check_codes(std::span<const std::string> codes) {
  for (const std::string& code : codes) {
    if (code.find_first_of(", \t\r\n") != std::string::npos) {
      throw ConfigError(fmt::format(
          "the code '{}' of a category: expected no comma and no white space, for answers list "
          "codes between commas",
          code));
    }
  }
  // Empty codes, equal ones, and those that read like a verdict.
  readout::check(readout::hazard_format(codes));
}

// What codes begin with, as long as each goes on behind it.
std::string common_letters(std::span<const std::string> codes) {
  std::string common = codes.front();
  for (const std::string& code : codes) {
    const auto [end, ignored] =
        std::mismatch(common.begin(), common.end(), code.begin(), code.end());
    common.erase(end, common.end());
  }
  const auto n = static_cast<std::size_t>(
      std::find_if(common.begin(), common.end(), [](char c) { return c >= '0' && c <= '9'; }) -
      common.begin());
  common.resize(n);
  const bool goes_on = std::all_of(codes.begin(), codes.end(), [&](const std::string& code) {
    return code.size() > common.size();
  });
  return goes_on ? common : "";
}

void check_special_tokens(const prompt::GuardFormat& format,
                          const tokenizer::Tokenizer& tokenizer) {
  for (const std::string& token : format.special_tokens()) {
    if (!tokenizer.special_id(token)) {
      throw ModelError(fmt::format(
          "the prompts of {}: expected the special token '{}' in the tokenizer, found none; "
          "another --guard may fit the model",
          format.title(), token));
    }
  }
}

void check_readouts(std::span<const std::string> codes,
                    const ReadoutSettings& readouts,
                    const tokenizer::Tokenizer& tokenizer) {
  const readout::AnswerFormat format = readout::hazard_format(codes);
  for (const std::string& name : readouts.names) {
    const readout::Readout& readout = readout::find_readout(name);
    if (readout.check != nullptr) readout.check(format, tokenizer, readouts.options);
  }
}

}  // namespace

GuardTask prepare_guard(std::span<const std::vector<prompt::Message>> conversations,
                        GuardSettings settings,
                        const tokenizer::Tokenizer& tokenizer) {
  GuardTask task;
  for (const prompt::GuardCategory& category : settings.categories) {
    task.codes.push_back(category.code);
  }
  if (task.codes.empty()) throw ConfigError("a guard needs at least one category");
  check_codes(task.codes);
  if (settings.readouts.options.forced_prefix.empty()) {
    settings.readouts.options.forced_prefix = fmt::format(
        "{}{}\n{}", settings.format.opening(), prompt::kUnsafe, common_letters(task.codes));
  }
  settings.readouts.options.max_new_tokens = settings.max_new_tokens;
  settings.readouts.options.seed = settings.seed;
  check_special_tokens(settings.format, tokenizer);
  check_readouts(task.codes, settings.readouts, tokenizer);
  TokenIds begin;
  if (!settings.format.end_of_turn().empty()) {
    task.end_ids = {tokenizer.special_id(settings.format.end_of_turn()).value()};
  } else if (settings.adds_begin_of_text) {
    begin = tokenizer.encode("", tokenizer::SpecialTokens::Add);
  }
  if (settings.is_one_by_one) task.n_per_item = settings.categories.size();
  bool has_spelled = false;
  for (const std::vector<prompt::Message>& messages : conversations) {
    for (std::size_t k = 0; k < task.n_per_item; ++k) {
      const std::span<const prompt::GuardCategory> all(settings.categories);
      const prompt::ChatText chat =
          settings.format.render(messages, settings.is_one_by_one ? all.subspan(k, 1) : all);
      if (task.prompts.empty()) task.first_text = chat.text;
      TokenIds& ids = task.prompts.emplace_back(begin);
      const TokenIds text = encode_chat(chat, tokenizer, has_spelled);
      ids.insert(ids.end(), text.begin(), text.end());
    }
  }
  if (has_spelled) {
    task.warnings.emplace_back(
        "messages spell special tokens of the model; they are taken as ordinary text there");
  }
  task.settings = std::move(settings);
  return task;
}

}  // namespace labelprobe::experiment
