#include "readout/format/prompt_end.h"

#include "support/catch.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {
namespace {

// The end of a prompt of these tokens; the last listed one has no bytes, as special tokens.
PromptEnd end_of(const std::vector<std::string>& prompt, int n_tokens) {
  const support::ListTokenizer tokenizer(
      {"Input", ":", " fine", "\n", "\n\n", "Label", ".\n", " ", "x\nLabel", ""});
  TokenIds ids;
  for (const std::string& token : prompt) ids.push_back(token.empty() ? 9 : tokenizer.id(token));
  return find_end(tokenizer, ids, n_tokens);
}

TEST_CASE("A prompt's last line is left open, with the token before it", "[unit]") {
  const PromptEnd end = end_of({"Input", ":", " fine", ".\n", "Label", ":"}, 0);
  CHECK(end.n_kept == 3);
  CHECK(end.text == ".\nLabel:");
  CHECK(end_of({"Input", ":", " fine", "x\nLabel", ":", " "}, 0).text == "x\nLabel: ");
  // The line break at the very end is not the one before the last line.
  CHECK(end_of({"Input", ":", "\n", "Label", ":", "\n\n"}, 0).text == "\nLabel:\n\n");
}

TEST_CASE("A number of tokens may be left open instead", "[unit]") {
  const std::vector<std::string> prompt = {"Input", ":", " fine", "\n", "Label", ":", " "};
  CHECK(end_of(prompt, 1).text == " ");
  CHECK(end_of(prompt, 2).text == ": ");
  CHECK(end_of(prompt, 2).n_kept == 5);
  CHECK(end_of(prompt, 5).text == " fine\nLabel: ");
  CHECK(end_of(prompt, 7).text == " fine\nLabel: ");
}

TEST_CASE("An end reaches neither beyond a special token nor to the first two", "[unit]") {
  CHECK(end_of({"Input", "", "Label", ":"}, 0).text == "Label:");
  CHECK(end_of({"Input", ":", ""}, 0).text.empty());
  CHECK(end_of({"Input", ":", ""}, 0).n_kept == 3);
  CHECK(end_of({"Input"}, 0).n_kept == 1);
  CHECK(end_of({"Input", ":"}, 1).text.empty());
  CHECK(end_of({}, 0).n_kept == 0);
  CHECK(end_of(std::vector<std::string>(100, "Label"), 0).n_kept == 100 - kMostOpenTokens);
}

}  // namespace
}  // namespace labelprobe::readout
