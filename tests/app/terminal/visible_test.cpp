#include "app/terminal/visible.h"

#include "support/catch.h"

namespace labelprobe::app {

TEST_CASE("What would steer a terminal is shown as escapes", "[unit]") {
  CHECK(visible("a\x1B[31mred\x07\r") == "a\\x1b[31mred\\x07\\r");
  CHECK(visible(std::string_view("nul\0del\x7F", 8)) == "nul\\x00del\\x7f");
  CHECK(visible("c1 \u009B2J") == "c1 \\x9b2J");
  CHECK(visible("\u202Eabc\u2066") == "\\u202eabc\\u2066");
  CHECK(visible("two\nlines\tand \u00e9 \U0001F600") == "two\nlines\tand \u00e9 \U0001F600");
  CHECK(visible("\xFF") == "\uFFFD");
}

}  // namespace labelprobe::app
