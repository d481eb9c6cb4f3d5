// Reference: the files of Python 3.11's gzip and base64 modules, RFC 4648's own examples.
#include "labelprobe/files/compressed.h"

#include <string>
#include <vector>

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::files {
namespace {

TEST_CASE("Base64 is that of RFC 4648, section 10", "[files]") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xFF\xFE\xFD") == "//79");
}

// base64.b64encode(gzip.compress(b"abcabcabcabc", mtime=0))
TEST_CASE("A gzip file is the one that Python writes", "[files]") {
  CHECK(base64(gzip("abcabcabcabc")) == "H4sIAAAAAAACA0tMSk6EIQA0Km5aDAAAAA==");
}

TEST_CASE("A gzip file of nothing is whole", "[files]") {
  CHECK(base64(gzip("")) == "H4sIAAAAAAACAwMAAAAAAAAAAAA=");
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_CASE("What is packed comes out as it was", "[files]") {
  for (const std::size_t size : {0, 1, 262143, 262144, 262145, 1000000}) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * i >> 5U);
    CHECK(text_of(unpacked(gzip(text), Compression::Gzip, "t.gz")) == text);
    // Padding behind it, as on tapes, and a second part.
    CHECK(text_of(unpacked(gzip(text) + std::string(9, '\0') + gzip("b"), Compression::Gzip,
                           "t.gz")) == text + "b");
  }
  CHECK(text_of(unpacked("as it is", Compression::None, "t")) == "as it is");
}

TEST_CASE("A file that stands for more than the limit is refused before it is unpacked",
          "[files]") {
  const std::string bomb = gzip(std::string(std::size_t{1} << 20U, 'x'));
  CHECK(bomb.size() < 2000);
  CHECK_THROWS_WITH(unpacked(bomb, Compression::Gzip, "t.csv.gz", 1000000),
                    "t.csv.gz: expected at most 1000000 bytes once it is unpacked, found more: no "
                    "table is as large; unpack it yourself and split it if it is whole");
  CHECK(unpacked(bomb, Compression::Gzip, "t.csv.gz", std::size_t{1} << 20U).size() == 1048576);
  CHECK_THROWS_AS(unpacked(bomb, Compression::Gzip, "t.csv.gz", 1048575), DataError);
}

// zstandard.ZstdCompressor().compress(b"x" * 2**20)
TEST_CASE("A zstd file that stands for more than the limit is refused", "[files]") {
  std::string bomb(
      "\050\265\057\375\240\000\000\020\000\124\000\000\020\170\170\001\000\373\377\071\300\002\002"
      "\000\020\170\002\000\020\170\002\000\020\170\002\000\020\170\002\000\020\170\002\000\020\170"
      "\003\000\020\170",
      50);
  CHECK(unpacked(bomb, Compression::Zstd, "t.csv.zst").size() == 1048576);
  CHECK(unpacked(bomb + bomb, Compression::Zstd, "t.csv.zst").size() == 2097152);
  CHECK_THROWS_WITH(unpacked(bomb, Compression::Zstd, "t.csv.zst", 1000000),
                    ContainsSubstring("t.csv.zst: expected at most 1000000 bytes once it is"));
  bomb.pop_back();
  CHECK_THROWS_WITH(unpacked(bomb, Compression::Zstd, "t.csv.zst"),
                    "t.csv.zst: expected a file of zstd, as its name says, found a broken one (it "
                    "ends early); fetch it again, or rename it if it is not compressed");
}

TEST_CASE("Bytes that are not compressed as their name says are refused", "[files]") {
  CHECK_THROWS_WITH(
      unpacked("a,b\n", Compression::Gzip, "t.csv.gz"),
      "t.csv.gz: expected a file of gzip, as its name says, found a broken one "
      "(incorrect header check); fetch it again, or rename it if it is not compressed");
  CHECK_THROWS_WITH(unpacked("a,b\n", Compression::Zstd, "t.csv.zst"),
                    ContainsSubstring("found a broken one (Unknown frame descriptor)"));
  CHECK_THROWS_WITH(unpacked("", Compression::Gzip, "t.csv.gz"),
                    ContainsSubstring("it ends early"));
  CHECK_THROWS_WITH(unpacked(gzip("abc").substr(0, 20), Compression::Gzip, "t.csv.gz"),
                    ContainsSubstring("it ends early"));
}

}  // namespace
}  // namespace labelprobe::files
