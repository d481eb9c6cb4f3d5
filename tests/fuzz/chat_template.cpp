// Chat templates, compiled and run on a chat; a second part is the chat as JSON.
#include "labelprobe/files/json.h"
#include "labelprobe/prompt/chat.h"

#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

namespace {

void check_ranges(const prompt::ChatText& chat) {
  std::size_t end = 0;
  for (const prompt::ChatText::Range& range : chat.contents) {
    LABELPROBE_CHECK(end <= range.begin && range.begin <= range.end &&
                     range.end <= chat.text.size());
    end = range.end;
  }
}

}  // namespace

void chat_template(std::string_view input) {
  const auto parts = parts_of(input, 2);
  const prompt::ChatFormat format(*parts[0], "a", {{"bos_token", "<s>"}, {"eos_token", "</s>"}});
  keep(format.is_dated() ? 1 : 0);
  if (parts[1]) {
    const auto messages = files::parse_json_in_order(*parts[1], {"b"});
    keep(format.render(messages, prompt::ChatEnd::AnswerHeader).size());
    return;
  }
  using prompt::Role;
  const std::vector<prompt::Message> messages = {{Role::System, "You label."},
                                                 {Role::User, "Input: it rains"},
                                                 {Role::Assistant, "{\"label\": [\"joy\"]}"},
                                                 {Role::User, " W\xC3\xB6rter <s> "}};
  check_ranges(format.render(messages, prompt::ChatEnd::AnswerHeader));
  check_ranges(format.render(std::span(messages).subspan(1, 2), prompt::ChatEnd::LastMessage));
}

}  // namespace labelprobe::fuzz
