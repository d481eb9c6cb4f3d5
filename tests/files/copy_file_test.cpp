#include "labelprobe/files/copy_file.h"

#include <filesystem>

#include <sys/stat.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace fs = std::filesystem;

TEST_CASE("A copied file has the permissions of a new one", "[copy_file]") {
  const labelprobe::support::TempFolder folder;
  const fs::path from = folder.path() / "from";
  const fs::path to = folder.path() / "to";
  labelprobe::support::write_file(from, "text\n");
  fs::permissions(from, fs::perms::owner_read | fs::perms::others_read);
  const mode_t before = ::umask(077);
  labelprobe::files::copy_file(from, to);
  ::umask(before);
  CHECK(labelprobe::support::read_file(to) == "text\n");
  CHECK(fs::status(to).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  labelprobe::support::write_file(folder.path() / "empty", "");
  labelprobe::files::copy_file(folder.path() / "empty", to);
  CHECK(labelprobe::support::read_file(to).empty());
  CHECK_THROWS_AS(labelprobe::files::copy_file(folder.path() / "none", to), labelprobe::DataError);
  CHECK_THROWS_AS(labelprobe::files::copy_file(from, folder.path() / "none" / "to"),
                  labelprobe::ConfigError);
}
