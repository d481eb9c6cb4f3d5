#include "readout/format/prompt_end.h"

#include "support/catch.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {
namespace {

// The end of a prompt of these tokens; the last listed one has no bytes, as special tokens.
PromptEnd end_of(const std::vector<std::string>& prompt, int n_tokens) {
  const support::ListTokenizer tokenizer({"Input", ":", " fine", "\n", "Label", " ", ""});
  TokenIds ids;
  for (const std::string& token : prompt) ids.push_back(token.empty() ? 6 : tokenizer.id(token));
  return find_end(tokenizer, ids, n_tokens);
}

TEST_CASE("A prompt's last tokens are left open", "[unit]") {
  const std::vector<std::string> prompt = {"Input", ":", " fine", "\n", "Label", ":", " "};
  CHECK(end_of(prompt, 1).text == " ");
  CHECK(end_of(prompt, 2).text == ": ");
  CHECK(end_of(prompt, 2).n_kept == 5);
  CHECK(end_of(prompt, 5).text == " fine\nLabel: ");
  CHECK(end_of(prompt, 7).text == " fine\nLabel: ");
}

TEST_CASE("An end reaches neither beyond a special token nor to the first two", "[unit]") {
  CHECK(end_of({"Input", "", "Label", ":"}, 4).text == "Label:");
  CHECK(end_of({"Input", ":", ""}, 4).text.empty());
  CHECK(end_of({"Input", ":", ""}, 4).n_kept == 3);
  CHECK(end_of({"Input"}, 4).n_kept == 1);
  CHECK(end_of({"Input", ":"}, 1).text.empty());
  CHECK(end_of({}, 4).n_kept == 0);
  CHECK(end_of(std::vector<std::string>(100, "Label"), 99).n_kept == 100 - kMostOpenTokens);
}

}  // namespace
}  // namespace labelprobe::readout
