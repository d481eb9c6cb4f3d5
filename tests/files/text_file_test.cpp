#include "labelprobe/files/text_file.h"

#include <fstream>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

std::filesystem::path written(const support::TempFolder& folder, const std::string& bytes) {
  std::ofstream(folder.path() / "x.txt", std::ios::binary) << bytes;
  return folder.path() / "x.txt";
}

}  // namespace

TEST_CASE("Reads lines whatever their ends, without a byte-order mark", "[unit]") {
  const support::TempFolder folder;
  CHECK(read_lines(MappedFile(written(folder,
                                      "\xEF\xBB\xBF"
                                      "a\r\n\nb"))) == std::vector<std::string>{"a", "", "b"});
  CHECK(read_lines(MappedFile(written(folder, ""))).empty());
}

TEST_CASE("Says which line is no UTF-8, and which file is not there", "[unit]") {
  const support::TempFolder folder;
  check_utf8(MappedFile(written(folder, "\u20AC\n")));
  CHECK_THROWS_WITH(check_utf8(MappedFile(written(folder, "a\nb\xFF\n"))),
                    ContainsSubstring("x.txt:2: expected text in UTF-8, found other bytes"));
  CHECK_THROWS_WITH(
      open_file("no/such", "a list"),
      ContainsSubstring("no/such: expected a list, found no such file from the working directory"));
  CHECK_THROWS_AS(open_file(folder.path() / "no", "a list"), DataError);
}

TEST_CASE("Shows what a file holds in one short line", "[unit]") {
  CHECK(shown("a\nb") == "'a?b'");
  CHECK(shown("\xFF") == "'?'");
  CHECK(printable(std::string(50, 'x')) == std::string(40, 'x') + "...");
  CHECK(some_of(std::vector<std::string>{"a", "b"}) == "a, b");
  CHECK(some_of(std::vector<std::string>(6, "a")) == "a, a, a, a, a, ...");
}

}  // namespace labelprobe::files
