#include <cstdlib>
#include <filesystem>

#include "labelprobe/server/open.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/paths.h"

using labelprobe::ConfigError;
using labelprobe::server::find_key;
using labelprobe::support::message_of;

namespace {

// A working directory of its own, without the variable.
class Place {
 public:
  Place() {
    std::filesystem::current_path(folder_.path());
    ::unsetenv("OPENAI_API_KEY");
  }
  ~Place() {
    ::unsetenv("OPENAI_API_KEY");
    std::filesystem::current_path(before_);
  }
  static void write(const std::string& text) { labelprobe::support::write_file(".env", text); }

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
  labelprobe::support::TempFolder folder_;
};

}  // namespace

TEST_CASE("The key is that of the environment, else that of the file .env", "[server]") {
  const Place place;
  CHECK(find_key().empty());
  Place::write("# keys\nOTHER=1\nexport OPENAI_API_KEY = \"sk-file\"  # mine\n");
  CHECK(find_key() == "sk-file");
  Place::write("OPENAI_API_KEY=sk-plain # mine\r\n");
  CHECK(find_key() == "sk-plain");
  Place::write("OPENAI_API_KEY='sk-a'\nOPENAI_API_KEY=sk-last");
  CHECK(find_key() == "sk-last");
  ::setenv("OPENAI_API_KEY", "sk-environment", 1);
  CHECK(find_key() == "sk-environment");
}

TEST_CASE("A key that no header can have is refused without being repeated", "[server]") {
  const Place place;
  Place::write("OPENAI_API_KEY='sk-a\tb'\n");
  CHECK(message_of<ConfigError>([] { find_key(); }) ==
        ".env: OPENAI_API_KEY: expected visible ASCII characters, found others");
}
