// Guards' prompts against the publisher's templates, run by Hugging Face transformers.
#include "labelprobe/prompt/guard.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/paths.h"

namespace labelprobe::prompt {
namespace {

const nlohmann::json& guard_reference() {
  static const nlohmann::json held =
      nlohmann::json::parse(std::ifstream(support::fixture("prompt/guards.json")));
  return held;
}

std::vector<Message> messages_to_guard(const nlohmann::json& messages) {
  std::vector<Message> made;
  for (const auto& message : messages) {
    made.push_back({message["role"] == "user" ? Role::User : Role::Assistant, message["content"]});
  }
  return made;
}

std::vector<GuardCategory> categories_of(const nlohmann::json& categories) {
  std::vector<GuardCategory> made;
  for (const auto& category : categories) made.push_back({category["code"], category["text"]});
  return made;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string template_of(const std::string& guard) {
  for (const auto& one : guard_reference()["guards"]) {
    if (one["guard"] == guard) return one["template"];
  }
  throw InternalError("no such guard in the fixture");
}

std::string refusal_of(const std::string& text) {
  return support::message_of<ModelError>([&] { GuardFormat::recognise(text); });
}

bool is_refused(const std::string& text) {
  return refusal_of(text).starts_with("chat template: expected that of a known guard");
}

const std::vector<Message> kQuestion = {{Role::User, "x"}};

}  // namespace

TEST_CASE("Guards' prompts are those of their chat templates", "[golden]") {
  for (const auto& guard : guard_reference()["guards"]) {
    const std::string name = guard["guard"];
    const GuardFormat of_template = GuardFormat::recognise(guard["template"].get<std::string>());
    const GuardFormat of_table = GuardFormat::named(name);
    CHECK(of_template.name() == name);
    CHECK(of_template.categories() == of_table.categories());
    for (const auto& one : guard["cases"]) {
      INFO(name << " " << one["messages"].dump());
      const std::vector<Message> messages = messages_to_guard(one["messages"]);
      const auto categories =
          one.contains("categories") ? categories_of(one["categories"]) : of_template.categories();
      const ChatText chat = of_template.render(messages, categories);
      CHECK(chat.text == one["text"].get<std::string>());
      CHECK(of_table.render(messages, categories).text == chat.text);
      REQUIRE(chat.contents.size() == messages.size());
    }
  }
}

TEST_CASE("The categories that a template lists are the guard's", "[unit]") {
  const GuardFormat first = GuardFormat::recognise(template_of("llama-guard-1"));
  REQUIRE(first.categories().size() == 6);
  CHECK(first.categories()[0].code == "O1");
  CHECK_THAT(first.categories()[0].text, ContainsSubstring("Violence and Hate. \nShould not\n- "));
  CHECK(GuardFormat::named("llama-guard-2").categories().size() == 11);
  CHECK(GuardFormat::named("llama-guard-3-8b").categories().back().code == "S14");
  CHECK(GuardFormat::named("llama-guard-3-1b").categories().back() ==
        GuardCategory{"S13", "Elections."});

  for (const auto& guard : guard_reference()["guards"]) {
    if (guard["custom_template"].is_null()) continue;
    const GuardFormat custom = GuardFormat::recognise(guard["custom_template"].get<std::string>());
    CHECK(custom.name() == guard["guard"].get<std::string>());
    const auto& one = guard["cases"][1];
    CHECK(custom.render(messages_to_guard(one["messages"]), custom.categories()).text ==
          one["text"]);
  }
  const GuardFormat other = GuardFormat::recognise(replaced(
      template_of("llama-guard-3-1b"), "\"S13\": \"Elections.\",", "'S20': 'It\\'s \\\\ odd.'"));
  CHECK(other.categories().back() == GuardCategory{"S20", "It's \\ odd."});
}

TEST_CASE("A template is a guard's only where it shows the same", "[unit]") {
  const std::string text = template_of("llama-guard-3-8b");
  // White space of no effect, other quotes, and the spaces in which publications differ.
  CHECK(GuardFormat::recognise(text + "\n").name() == "llama-guard-3-8b");
  CHECK(GuardFormat::recognise(replaced(text, "{% endfor %}", "{%endfor   %}")).name() ==
        "llama-guard-3-8b");
  CHECK(GuardFormat::recognise(replaced(text, "': ' + content", "\": \" + content")).name() ==
        "llama-guard-3-8b");
  const GuardFormat bare = GuardFormat::recognise(replaced(text, "\" <|begin", "\"<|begin"));
  CHECK(bare.render(kQuestion, bare.categories()).text.starts_with("<|begin_of_text|>"));
  const GuardFormat spaced =
      GuardFormat::recognise(replaced(text, "categories.<|eot", "categories. <|eot"));
  CHECK_THAT(spaced.render(kQuestion, spaced.categories()).text,
             ContainsSubstring("categories. <|eot_id|>"));

  const std::string small = template_of("llama-guard-3-1b");
  CHECK(GuardFormat::recognise(replaced(small, "{%-  endif -%}", "{%- endif %}")).name() ==
        "llama-guard-3-1b");

  const std::string message = refusal_of("{{ bos_token }}{% for message in messages %}");
  CHECK_THAT(message, ContainsSubstring("expected that of a known guard (llama-guard-1, "
                                        "llama-guard-2, llama-guard-3-8b, llama-guard-3-1b)"));
  CHECK_THAT(message, ContainsSubstring("begins '{{ bos_token }}"));
  CHECK_THAT(message, ContainsSubstring("--guard chooses"));
  // Line breaks that would be shown, other rules, other steps, a list without codes.
  CHECK(is_refused(replaced(text, "}}{% for message", "}}\n{% for message")));
  CHECK(is_refused("\n" + text));
  CHECK(is_refused(replaced(text, "ONLY THE LAST ", "")));
  CHECK(is_refused(replaced(text, "content.strip()", "content")));
  CHECK(is_refused(replaced(text, "S1: ", "One: ")));
  CHECK(is_refused(replaced(small, "\"S1\": ", "\"S1\", ")));
  CHECK(is_refused(text.substr(0, text.size() - 10)));
  CHECK(is_refused("{{ \""));
  CHECK(is_refused(""));
}

TEST_CASE("An unknown guard is refused with the nearest", "[unit]") {
  CHECK_THAT(support::message_of<ConfigError>([] { GuardFormat::named("llama-guard-3"); }),
             ContainsSubstring("unknown guard 'llama-guard-3'"));
  REQUIRE(guards().size() == 4);
  CHECK(guards()[2].n_categories == 14);
}

TEST_CASE("Answers are read by the publisher's rule, and more freely", "[golden]") {
  const std::vector<std::string> codes = {"S1", "S2", "S3", "S10"};
  for (const auto& answer : guard_reference()["answers"]) {
    INFO(answer["text"]);
    const GuardVerdict read = read_verdict(answer["text"].get<std::string>(), codes);
    if (answer["listed"].is_null()) continue;
    CHECK(read.is_unsafe == std::optional(true));
    std::vector<std::string> listed;
    std::vector<std::string> unknown;
    for (const std::string& code : codes) {
      for (const auto& item : answer["listed"]) {
        if (item == code && (listed.empty() || listed.back() != code)) listed.push_back(code);
      }
    }
    for (const auto& item : answer["listed"]) {
      if (item != "" && std::find(codes.begin(), codes.end(), item) == codes.end()) {
        unknown.push_back(item);
      }
    }
    CHECK(read.codes == listed);
    CHECK(read.unknown == unknown);
  }
  const auto of = [&](const std::string& text) { return read_verdict(text, codes); };
  CHECK(of(" safe\n").is_unsafe == std::optional(false));
  CHECK(of("Unsafe\ns1, S10 ").codes == std::vector<std::string>{"S1", "S10"});
  CHECK(of("unsafe").is_unsafe == std::optional(true));
  CHECK(of("unsafe").codes.empty());
  CHECK(of("unsafe\nS1\nS2").codes == std::vector<std::string>{"S1"});
  CHECK(of("safe\nS1").codes.empty());
  CHECK_FALSE(of("I will not say.").is_unsafe.has_value());
  CHECK_FALSE(of("").is_unsafe.has_value());
}

}  // namespace labelprobe::prompt
