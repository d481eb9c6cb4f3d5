#include "labelprobe/files/lost_pages.h"

#include <cstdio>
#include <filesystem>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "labelprobe/files/mapped_file.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::files::MappedFile;

TEST_CASE("A mapped file that gets shorter ends the process with its name", "[lost_pages]") {
  const labelprobe::support::TempFolder folder;
  const fs::path file = folder.path() / "large";
  labelprobe::support::write_file(file, std::string(3'000'000, 'x'));
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen((folder.path() / "said").c_str(), "w", stderr) == nullptr) ::_exit(1);
    labelprobe::files::report_lost_pages({.config = 2, .data = 3, .model = 4});
    const MappedFile mapped(file);
    fs::resize_file(file, 100);
    volatile char last = mapped.text()[2'999'999];
    ::_exit(last == 'x' ? 1 : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 3);
  CHECK_THAT(labelprobe::support::read_file(folder.path() / "said"),
             ContainsSubstring("labelprobe: " + file.string() + ": was made shorter"));
}

TEST_CASE("A small file stays as it was when it was opened", "[lost_pages]") {
  const labelprobe::support::TempFolder folder;
  const fs::path file = folder.path() / "small";
  labelprobe::support::write_file(file, std::string(100'000, 'x'));
  const MappedFile mapped(file);
  fs::resize_file(file, 0);
  CHECK(mapped.text() == std::string(100'000, 'x'));
}
