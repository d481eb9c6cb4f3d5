#include "labelprobe/files/output_file.h"

#include <fstream>
#include <iterator>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("An older file survives until the new one is whole", "[unit]") {
  const support::TempFolder folder;
  const fs::path path = folder.path() / "table.csv";
  std::ofstream(path) << "old";
  {
    OutputFile broken_off(path);
    broken_off.stream() << "new";
  }
  CHECK(content_of(path) == "old");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  OutputFile file(path);
  file.stream() << "new";
  CHECK(content_of(path) == "old");
  file.finish();
  CHECK(content_of(path) == "new");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("A link stays one, and what it points to is replaced", "[unit]") {
  const support::TempFolder folder;
  std::ofstream(folder.path() / "real.json") << "old";
  fs::create_symlink("real.json", folder.path() / "link");
  OutputFile file(folder.path() / "link");
  file.stream() << "new";
  file.finish();
  CHECK(fs::is_symlink(folder.path() / "link"));
  CHECK(content_of(folder.path() / "real.json") == "new");
}

TEST_CASE("What cannot be written is said with its reason", "[unit]") {
  CHECK_THROWS_WITH(OutputFile("/nowhere/at/all.csv"),
                    "/nowhere/at/all.csv cannot be written: No such file or directory");
  if (!fs::exists("/dev/full")) return;
  OutputFile full("/dev/full");
  full.stream() << std::string(1 << 20, 'x');
  CHECK_THROWS_WITH(full.finish(), ContainsSubstring("/dev/full cannot be written"));
}

}  // namespace
}  // namespace labelprobe::files
