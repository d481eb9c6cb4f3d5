#include "readout/format/canonical.h"

#include "support/catch.h"
#include "support/list_tokenizer.h"

namespace labelprobe::readout {
namespace {

TEST_CASE("All tokens but the last are those that the tokenizer makes", "[unit]") {
  const support::ListTokenizer tokenizer({"joy", "j", "o", "y", "jo", "\n", "x", ", "});
  const TokenIds prompt = {tokenizer.id("x"), tokenizer.id("\n")};
  const CanonicalText canonical(tokenizer, prompt);
  const TokenId joy = tokenizer.id("joy");
  const TokenId jo = tokenizer.id("jo");
  const TokenId y = tokenizer.id("y");
  const TokenId comma = tokenizer.id(", ");
  CHECK(canonical.has(TokenIds{joy}, true));
  CHECK(canonical.has(TokenIds{joy, comma}, true));
  CHECK(canonical.has(TokenIds{jo}, true));
  CHECK_FALSE(canonical.has(TokenIds{jo, y}, true));
  CHECK(canonical.has(TokenIds{joy, comma, jo}, true));
  CHECK_FALSE(canonical.has(TokenIds{joy, comma, jo, y}, true));
}

TEST_CASE("A prompt that ends where no token would is no reason to refuse all answers", "[unit]") {
  const support::ListTokenizer tokenizer({" joy", "joy", " ", "jo", "y", "\n", ":"});
  const TokenIds prompt = {tokenizer.id(":"), tokenizer.id(" ")};
  const CanonicalText canonical(tokenizer, prompt);
  CHECK(canonical.has(TokenIds{tokenizer.id("joy"), tokenizer.id("\n")}, true));
  CHECK_FALSE(
      canonical.has(TokenIds{tokenizer.id("jo"), tokenizer.id("y"), tokenizer.id("\n")}, true));
}

TEST_CASE("Text that ends inside a character is no reason to refuse", "[unit]") {
  const support::ListTokenizer tokenizer({"\xC3\xBC", "\n"});
  const CanonicalText canonical(tokenizer, TokenIds{0});
  const TokenId first_byte = 2 + 0xC3;
  CHECK(canonical.has(TokenIds{1, first_byte}, true));
  CHECK_FALSE(canonical.has(TokenIds{first_byte, 2 + 0xBC, 1}, true));
}

TEST_CASE("How white space is divided is settled by what follows it", "[unit]") {
  const support::ListTokenizer tokenizer({"joy", "\n\n", "\n joy"});
  const CanonicalText canonical(tokenizer, TokenIds{0});
  const TokenId line_break = 3 + '\n';
  CHECK(canonical.has(TokenIds{line_break, line_break}, true));
  CHECK(canonical.has(TokenIds{0, line_break, line_break}, true));
  // The end of the text, and a word, settle it.
  CHECK_FALSE(canonical.has(TokenIds{line_break, line_break}, false));
  CHECK_FALSE(canonical.has(TokenIds{line_break, line_break, 0}, true));
  CHECK(canonical.has(TokenIds{1, 0}, true));
  CHECK_FALSE(canonical.has(TokenIds{line_break, 3 + ' ', 0}, true));
}

}  // namespace
}  // namespace labelprobe::readout
