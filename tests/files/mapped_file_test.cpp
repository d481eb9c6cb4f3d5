#include "labelprobe/files/mapped_file.h"

#include <fstream>
#include <thread>

#include <sys/stat.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

TEST_CASE("A git-LFS pointer is named as such", "[unit]") {
  const support::TempFolder folder;
  const auto path = folder.path() / "model.safetensors";
  std::ofstream(path) << "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
  CHECK_THROWS_WITH(MappedFile(path), ContainsSubstring("found a git-LFS pointer") &&
                                          ContainsSubstring("git lfs pull"));
  std::ofstream(path) << "version 2";
  CHECK(MappedFile(path).bytes().size() == 9);
}

TEST_CASE("Maps the whole file and keeps it when moved", "[mapped_file]") {
  const support::TempFolder folder;
  const std::filesystem::path path = folder.path() / "some.bin";
  std::ofstream(path, std::ios::binary) << std::string("a\0b\n", 4);
  MappedFile file(path);
  CHECK(file.text() == std::string_view("a\0b\n", 4));
  CHECK(file.bytes().size() == 4);
  MappedFile moved = std::move(file);
  CHECK(moved.text().starts_with('a'));
  CHECK(moved.path() == path);
  std::ofstream(folder.path() / "other.bin") << "other";
  moved = MappedFile(folder.path() / "other.bin");
  CHECK(moved.text() == "other");
}

TEST_CASE("Maps an empty file to nothing", "[mapped_file]") {
  const support::TempFolder folder;
  std::ofstream(folder.path() / "empty").flush();
  CHECK(MappedFile(folder.path() / "empty").bytes().empty());
}

TEST_CASE("Says which file cannot be mapped and why", "[mapped_file]") {
  const support::TempFolder folder;
  const std::filesystem::path path = folder.path() / "missing";
  CHECK_THROWS_AS(MappedFile(path), DataError);
  CHECK_THROWS_WITH(MappedFile(path),
                    path.string() + ": cannot be opened: No such file or directory");
  CHECK_THROWS_WITH(MappedFile(folder.path()),
                    folder.path().string() + ": expected a file, found a folder");
}

TEST_CASE("Reads a pipe to its end", "[mapped_file]") {
  const support::TempFolder folder;
  const std::filesystem::path path = folder.path() / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const std::string text(200'000, 'x');
  std::thread writer([&] { std::ofstream(path, std::ios::binary) << text; });
  MappedFile file(path);
  writer.join();
  CHECK(file.text() == text);
  const MappedFile moved = std::move(file);
  CHECK(moved.text() == text);
}

}  // namespace
}  // namespace labelprobe::files
