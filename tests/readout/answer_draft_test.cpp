#include "labelprobe/readout/answer_draft.h"

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {

TEST_CASE("A label and what follows it are drafted from its first token on", "[unit]") {
  const support::ListTokenizer tokenizer({"[\"", "opt", "imism", "joy", "\"]", "\", \"", "\n"});
  const std::vector<std::string> answers = {"[\"optimism\"]\n", "[\"joy\"]\n",
                                            "[\"joy\", \"optimism\"]\n"};
  const AnswerDraft draft(tokenizer, answers);
  const auto after = [&](const std::string& text) {
    return tokenizer.decode(draft(tokenizer.encode(text, tokenizer::SpecialTokens::Omit)));
  };
  CHECK(after("[\"") == "optimism\"]\n");
  CHECK(after("[\"opt") == "imism\"]\n");
  CHECK(after("[\"joy") == "\"]\n");
  CHECK(after("[\"joy\", \"") == "optimism\"]\n");
  CHECK(after("\", \"") == "optimism\"]\n");
  // The longest end that some answer has counts, whatever stands before it.
  CHECK(after("so: [\"joy\"") == "");
  CHECK(after("so: [\"joy\", \"opt") == "imism\"]\n");
  CHECK(after("[\"joy\"]\n") == "");
  CHECK(after("z") == "");
  CHECK(draft({}).empty());
}

}  // namespace labelprobe::readout
