#include "prompt/guard/guard_template.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace labelprobe::prompt {

namespace {

// In condensed templates a text stands between these, and the categories are to be found here.
constexpr char kTextBegin = '\x01';
constexpr char kTextEnd = '\x02';
constexpr std::string_view kCategoriesHere = "\x03";

constexpr std::string_view kBlank = " \t\r\n";

bool is_blank(std::string_view text) {
  return text.find_first_not_of(kBlank) == std::string_view::npos;
}

class Condenser {
 public:
  explicit Condenser(std::string_view text) : rest_(text) {
    if (rest_.ends_with('\n')) rest_.remove_suffix(1);  // as Jinja does
  }

  std::string condense() {
    while (!rest_.empty()) {
      const std::size_t n = std::min({rest_.find("{%"), rest_.find("{{"), rest_.size()});
      const std::string_view between = rest_.substr(0, n);
      rest_.remove_prefix(n);
      const bool is_trimmed = ends_trimming_ || (rest_.size() > 2 && rest_[2] == '-');
      if (!is_trimmed || !is_blank(between)) kept_ += between;
      if (!rest_.empty()) take_statement();
    }
    return std::move(kept_);
  }

 private:
  void keep(std::size_t n) {
    kept_ += rest_.substr(0, n);
    rest_.remove_prefix(n);
  }

  // The rest begins with one.
  void take_statement() {
    const std::string_view closer = rest_[1] == '%' ? "%}" : "}}";
    keep(2);
    if (rest_.starts_with('-')) rest_.remove_prefix(1);
    ends_trimming_ = false;
    while (!rest_.empty()) {
      if (rest_.front() == '-' && rest_.substr(1).starts_with(closer)) {
        ends_trimming_ = true;
        rest_.remove_prefix(1);
      }
      if (rest_.starts_with(closer)) return keep(2);
      if (rest_.front() == '\'' || rest_.front() == '"') {
        take_text();
      } else if (kBlank.find(rest_.front()) == std::string_view::npos) {
        keep(1);
      } else {
        rest_.remove_prefix(1);
      }
    }
  }

  // The rest begins with its quote.
  void take_text() {
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    kept_ += kTextBegin;
    while (!rest_.empty() && rest_.front() != quote) {
      if (rest_.front() == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
        kept_ += rest_.front() == 'n' ? '\n' : rest_.front();
        rest_.remove_prefix(1);
      } else {
        keep(1);
      }
    }
    kept_ += kTextEnd;
    if (!rest_.empty()) rest_.remove_prefix(1);
  }

  std::string_view rest_;
  std::string kept_;
  bool ends_trimming_ = false;  // the statement before
};

// Texts that are shown one after the other are one.
std::string joined(std::string condensed) {
  constexpr std::string_view kSeam = "\x02}}{{\x01";
  for (std::size_t at = condensed.find(kSeam); at != std::string::npos;
       at = condensed.find(kSeam, at)) {
    condensed.erase(at, kSeam.size());
  }
  return condensed;
}

constexpr std::string_view kRoleByNumber =
    "{% if messages|length % 2 == 0 %}{% set role = 'Agent' %}{% else %}{% set role = 'User' %}"
    "{% endif %}";
constexpr std::string_view kRoleOfMessage =
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('"
    "Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% set content = message['content'] %}{% if message['role'] == 'user' %}{% set role = 'User' "
    "%}{% elif message['role'] == 'assistant' %}{% set role = 'Agent' %}{% endif %}";

std::string one_text_template(const GuardFamily& family,
                              std::string_view before_task,
                              std::string_view after_task) {
  return fmt::format(
      R"({}{{{{ "{}{}" + role + "{}{}{}" }}}})"
      R"({{% for message in messages %}}{}{{{{ role + ': ' + content.strip() + '\n\n' }}}})"
      R"({{% endfor %}}{{{{ "{}{}" + role + "{}{}" }}}})",
      kRoleByNumber, before_task, kTask, kPolicy, kCategoriesHere, kAfterCategories, kRoleOfMessage,
      kAfterConversation, family.judges, family.rules, after_task);
}

std::string dictionary_template(const GuardFamily& family,
                                std::string_view before_task,
                                std::string_view after_task) {
  return fmt::format(
      R"({}{{% if categories is not defined %}}{{% set categories = ({{{}}}) %}}{{% endif %}})"
      R"({{{{ "{}" }}}}{{% set ns = namespace(contains_image=false) %}})"
      R"({{% for message in messages %}}{{% for content in message['content'] )"
      R"(| selectattr('type', 'equalto', 'image') %}}{{% set ns.contains_image = true %}})"
      R"({{% endfor %}}{{% endfor %}}{{% if ns.contains_image %}}{{{{ "<|image|> " }}}})"
      R"({{% endif %}}{{{{ "{}" + role + "{}" }}}}{{% for key in categories %}})"
      R"({{% if key not in excluded_category_keys %}}{{{{ key + ": " + categories[key] + "\n" }}}})"
      R"({{% endif %}}{{% endfor %}}{{{{ "{}" }}}}{{% for message in messages %}}{})"
      R"({{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}})"
      R"({{{{ role + ': ' + content['text'] | trim + '\n\n' }}}}{{% endfor %}}{{% endfor %}})"
      R"({{{{ "{}{}" + role + "{}{}" }}}})",
      kRoleByNumber, kCategoriesHere, before_task, kTask, kPolicy, kAfterCategories, kRoleOfMessage,
      kAfterConversation, family.judges, family.rules, after_task);
}

// A text at the beginning of `rest`, which is then behind it and one character more.
std::optional<std::string> take_text_of(std::string_view& rest, char behind) {
  const std::size_t end = rest.find(kTextEnd);
  if (!rest.starts_with(kTextBegin) || end == std::string_view::npos) return std::nullopt;
  std::string text(rest.substr(1, end - 1));
  rest.remove_prefix(end + 1);
  if (rest.empty()) return behind == ',' ? std::optional(std::move(text)) : std::nullopt;
  if (rest.front() != behind) return std::nullopt;
  rest.remove_prefix(1);
  return text;
}

// "S1": "Violent Crimes.", ...
std::vector<GuardCategory> read_dictionary(std::string_view rest) {
  std::vector<GuardCategory> categories;
  while (!rest.empty()) {
    std::optional<std::string> code = take_text_of(rest, ':');
    std::optional<std::string> text = code ? take_text_of(rest, ',') : std::nullopt;
    if (!text) return {};
    categories.push_back({std::move(*code), std::move(*text)});
  }
  return categories;
}

}  // namespace

std::string condensed_template(std::string_view text) {
  return joined(Condenser(text).condense());
}

std::optional<std::vector<GuardCategory>> match_template(std::string_view condensed,
                                                         const GuardFamily& family,
                                                         std::string_view before_task,
                                                         std::string_view after_task) {
  const bool is_dictionary = family.statements == GuardStatements::Dictionary;
  const std::string known =
      condensed_template(is_dictionary ? dictionary_template(family, before_task, after_task)
                                       : one_text_template(family, before_task, after_task));
  const std::size_t here = known.find(kCategoriesHere);
  const std::string_view before = std::string_view(known).substr(0, here);
  const std::string_view after = std::string_view(known).substr(here + kCategoriesHere.size());
  if (condensed.size() < before.size() + after.size() || !condensed.starts_with(before) ||
      !condensed.ends_with(after)) {
    return std::nullopt;
  }
  condensed.remove_prefix(before.size());
  condensed.remove_suffix(after.size());
  std::vector<GuardCategory> categories =
      is_dictionary ? read_dictionary(condensed) : read_categories(condensed);
  return categories.empty() ? std::nullopt : std::optional(std::move(categories));
}

}  // namespace labelprobe::prompt
