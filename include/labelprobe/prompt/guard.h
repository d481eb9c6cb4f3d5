// Content-safety classifiers of the Llama Guard family: the text that asks them about the last
// message of a conversation, and what an answer says.
// Goals: the families of guards() byte for byte as the publisher's chat templates write them, with
// the categories that the model's own template lists, or others. Non-goals: running templates,
// pictures, tool calls.
// Source: methods beyond the paper's four, sections 9.1 to 9.3; src/prompt/guard/guard_table.cpp
// says where each text is from.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/prompt/chat.h"

namespace labelprobe::prompt {

struct GuardCategory {
  std::string code;  // "S1"
  std::string text;  // "Violent Crimes.", with its description on further lines where it has one

  friend bool operator==(const GuardCategory&, const GuardCategory&) = default;
};

// The words that begin an answer.
inline constexpr std::string_view kSafe = "safe";
inline constexpr std::string_view kUnsafe = "unsafe";

struct GuardFamily;  // src/prompt/guard/guard_table.h

// What people may choose where a model has no template of its own.
struct GuardInfo {
  std::string_view name;   // in flags: "llama-guard-3-8b"
  std::string_view title;  // "Llama Guard 3 (8B)"
  std::size_t n_categories = 0;
};
std::vector<GuardInfo> guards();

class GuardFormat {
 public:
  // The family of that name, with the categories that its publisher's template lists. Throws
  // ConfigError for an unknown name, with the nearest and the known ones.
  static GuardFormat named(std::string_view name);

  // That of a model's chat template, with the categories listed there. The statements of the
  // template and the task it sets have to be a known family's; how it lists categories, quotes its
  // texts and sets white space between statements may differ. Throws ModelError with the text's
  // beginning and the known families if it is of none.
  static GuardFormat recognise(std::string_view template_text);

  std::string_view name() const;
  std::string_view title() const;
  const std::vector<GuardCategory>& categories() const { return categories_; }

  // The letters that the family's codes begin with: "O", "S".
  std::string_view code_letters() const;

  // What the model writes before its verdict, as far as is known: "\n\n" behind headers, " " where
  // the tokenizer puts a space before a word, or nothing.
  std::string_view opening() const;

  // The special tokens it writes, none for families without headers. The begin-of-text token,
  // where there are any, is among them: it must not be added again.
  std::vector<std::string> special_tokens() const;
  // The one that ends a turn; empty where there is none.
  std::string_view end_of_turn() const;

  // Asks about the last message: as `User` where a user wrote it, else as `Agent`. At least one
  // message; a user's is the first, then user and assistant in turns. At least one category.
  ChatText render(std::span<const Message> messages,
                  std::span<const GuardCategory> categories) const;

 private:
  const GuardFamily* family_ = nullptr;
  std::string before_task_;  // of the family, as the model's template spaces them
  std::string after_task_;
  std::vector<GuardCategory> categories_;
};

// What an answer says.
struct GuardVerdict {
  std::optional<bool> is_unsafe;     // unset: the answer begins with neither word
  std::vector<std::string> codes;    // listed, in the order of the categories
  std::vector<std::string> unknown;  // listed, and no category's code
};

// The publisher's rule is `unsafe`, a line break and codes between commas, after white space is
// stripped. Spaces around codes, further lines and small or large letters are taken as well.
GuardVerdict read_verdict(std::string_view answer, std::span<const std::string> codes);

}  // namespace labelprobe::prompt
