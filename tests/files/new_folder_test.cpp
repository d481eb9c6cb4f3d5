#include "labelprobe/files/new_folder.h"

#include <fstream>
#include <stdexcept>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {

namespace fs = std::filesystem;

TEST_CASE("A new folder is there whole or not at all", "[unit]") {
  const support::TempFolder root;
  const fs::path folder = root.path() / "deep" / "model";
  CHECK_THROWS_AS(write_new_folder(folder, ErrorKind::Model,
                                   [&](const fs::path& partial) {
                                     std::ofstream(partial / "half") << "x";
                                     CHECK_FALSE(fs::exists(folder));
                                     throw std::runtime_error("stopped");
                                   }),
                  std::runtime_error);
  CHECK(fs::is_empty(root.path() / "deep"));
  write_new_folder(folder / "", ErrorKind::Model,
                   [](const fs::path& partial) { std::ofstream(partial / "whole") << "x"; });
  CHECK(fs::exists(folder / "whole"));
  CHECK_FALSE(fs::exists(root.path() / "deep" / "model.partial"));
}

TEST_CASE("A folder that is there is not written over", "[unit]") {
  const support::TempFolder root;
  const auto write = [](const fs::path&) { FAIL("called"); };
  CHECK_THROWS_WITH(write_new_folder(root.path(), ErrorKind::Model, write),
                    ContainsSubstring("is there already; remove it, or name another folder"));
  fs::create_directory(root.path() / "x.partial");
  CHECK_THROWS_AS(write_new_folder(root.path() / "x", ErrorKind::Config, write), ConfigError);
}

}  // namespace labelprobe::files
