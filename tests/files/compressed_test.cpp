// Reference: the files of Python 3.11's gzip and base64 modules, RFC 4648's own examples.
#include "labelprobe/files/compressed.h"

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

}  // namespace
}  // namespace labelprobe::files
