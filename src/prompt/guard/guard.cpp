#include "labelprobe/prompt/guard.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/python/text.h"

#include "prompt/guard/guard_table.h"
#include "prompt/guard/guard_template.h"

namespace labelprobe::prompt {

namespace {

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const GuardFamily& family : guard_families()) names.emplace_back(family.name);
  return names;
}

[[noreturn]] void refuse(std::string_view text) {
  constexpr std::size_t kShown = 120;
  const std::size_t n_shown = character_start(text, std::min(kShown, text.size()));
  throw ModelError(
      fmt::format("chat template: expected that of a known guard ({}), found one that begins '{}'; "
                  "--guard chooses a guard whatever the template",
                  fmt::join(family_names(), ", "), text.substr(0, n_shown)));
}

// The text as it is, and with or without the space before it: templates of one family differ so.
std::vector<std::string> spacings(std::string_view text, bool has_headers) {
  if (!has_headers) return {std::string(text)};
  const std::string bare(text.starts_with(' ') ? text.substr(1) : text);
  return {bare, " " + bare};
}

std::string_view role_of(const Message& message) {
  return message.role == Role::User ? "User" : "Agent";
}

bool takes_turns(std::span<const Message> messages) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role != (i % 2 == 0 ? Role::User : Role::Assistant)) return false;
  }
  return true;
}

}  // namespace

std::vector<GuardInfo> guards() {
  std::vector<GuardInfo> infos;
  for (const GuardFamily& family : guard_families()) {
    infos.push_back({family.name, family.title, read_categories(family.categories).size()});
  }
  return infos;
}

GuardFormat GuardFormat::named(std::string_view name) {
  for (const GuardFamily& family : guard_families()) {
    if (family.name != name) continue;
    GuardFormat format;
    format.family_ = &family;
    format.before_task_ = family.before_task;
    format.after_task_ = family.after_task;
    format.categories_ = read_categories(family.categories);
    return format;
  }
  throw ConfigError(unknown_choice("guard", name, family_names()));
}

GuardFormat GuardFormat::recognise(std::string_view template_text) {
  const std::string text = condensed_template(template_text);
  for (const GuardFamily& family : guard_families()) {
    for (const std::string& before : spacings(family.before_task, family.has_headers)) {
      for (const std::string& after : spacings(family.after_task, family.has_headers)) {
        auto categories = match_template(text, family, before, after);
        if (!categories) continue;
        GuardFormat format;
        format.family_ = &family;
        format.before_task_ = before;
        format.after_task_ = after;
        format.categories_ = std::move(*categories);
        return format;
      }
    }
  }
  refuse(template_text);
}

std::string_view GuardFormat::name() const {
  return family_->name;
}

std::string_view GuardFormat::title() const {
  return family_->title;
}

std::string_view GuardFormat::code_letters() const {
  return family_->code_letters;
}

std::string_view GuardFormat::opening() const {
  return family_->opening;
}

std::vector<std::string> GuardFormat::special_tokens() const {
  if (!family_->has_headers) return {};
  return {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"};
}

std::string_view GuardFormat::end_of_turn() const {
  return family_->has_headers ? "<|eot_id|>" : "";
}

ChatText GuardFormat::render(std::span<const Message> messages,
                             std::span<const GuardCategory> categories) const {
  LABELPROBE_CHECK(!messages.empty() && takes_turns(messages) && !categories.empty());
  const std::string_view judged = role_of(messages.back());
  ChatText chat;
  chat.text = fmt::format("{}{}{}{}", before_task_, kTask, judged, kPolicy);
  for (const GuardCategory& category : categories) {
    chat.text += fmt::format("{}: {}\n", category.code, category.text);
  }
  chat.text += kAfterCategories;
  for (const Message& message : messages) {
    chat.text += fmt::format("{}: ", role_of(message));
    const std::size_t begin = chat.text.size();
    chat.text += python::strip(message.content);
    chat.contents.push_back({begin, chat.text.size()});
    chat.text += "\n\n";
  }
  chat.text += fmt::format("{}{}{}{}{}", kAfterConversation, family_->judges, judged,
                           family_->rules, after_task_);
  return chat;
}

GuardVerdict read_verdict(std::string_view answer, std::span<const std::string> codes) {
  const std::string_view text = python::strip(answer);
  const std::size_t n_first = std::min(text.find('\n'), text.size());
  const std::string verdict = folded(python::strip(text.substr(0, n_first)));
  GuardVerdict read;
  if (verdict == kSafe) read.is_unsafe = false;
  if (verdict != kUnsafe) return read;
  read.is_unsafe = true;
  std::string_view list = text.substr(std::min(n_first + 1, text.size()));
  list = list.substr(0, list.find('\n'));
  std::vector<bool> is_listed(codes.size());
  while (!list.empty()) {
    const std::size_t n_item = std::min(list.find(','), list.size());
    const std::string_view item = python::strip(list.substr(0, n_item));
    list.remove_prefix(std::min(n_item + 1, list.size()));
    if (item.empty()) continue;
    const auto code = std::find_if(codes.begin(), codes.end(), [&](const std::string& known) {
      return folded(known) == folded(item);
    });
    if (code != codes.end()) {
      is_listed[static_cast<std::size_t>(code - codes.begin())] = true;
    } else {
      read.unknown.emplace_back(item);
    }
  }
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (is_listed[i]) read.codes.push_back(codes[i]);
  }
  return read;
}

}  // namespace labelprobe::prompt
