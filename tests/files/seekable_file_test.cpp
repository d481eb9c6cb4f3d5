#include "labelprobe/files/seekable_file.h"

#include <filesystem>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

TEST_CASE("Parts of a file are read, and fewer bytes where it ends", "[seekable_file]") {
  const support::TempFolder folder;
  support::write_file(folder.path() / "text", "0123456789");
  const SeekableFile file(folder.path() / "text");
  CHECK(file.read(2, 3) == "234");
  CHECK(file.read(8, 3) == "89");
  CHECK(file.read(20, 3).empty());
  std::filesystem::remove(folder.path() / "text");
  CHECK(file.read(0, 1) == "0");
  CHECK_THROWS_WITH(SeekableFile(folder.path() / "none"),
                    ContainsSubstring("none: cannot be opened: No such file"));
}

TEST_CASE("A file comes in pieces", "[seekable_file]") {
  const support::TempFolder folder;
  const std::string text(std::size_t{3} << 20, 'x');
  support::write_file(folder.path() / "text", "ab" + text + "cd");
  std::string read;
  std::vector<std::size_t> sizes;
  read_pieces(SeekableFile(folder.path() / "text"), 1, text.size() + 3,
              [&](std::string_view piece) {
                read += piece;
                sizes.push_back(piece.size());
              });
  CHECK(read == "b" + text + "c");
  CHECK(sizes == std::vector<std::size_t>{1U << 20U, 1U << 20U, 1U << 20U, 2});
  read_pieces(SeekableFile(folder.path() / "text"), text.size() + 3, std::uint64_t{1} << 40,
              [&](std::string_view piece) { CHECK(piece == "d"); });
}

TEST_CASE("Part of a file has the fingerprint of its bytes as a text", "[seekable_file]") {
  const support::TempFolder folder;
  const std::string text(std::size_t{3} << 20, 'x');
  support::write_file(folder.path() / "text", "ab" + text);
  CHECK(fingerprint_of_part(folder.path() / "text", 1, text.size() + 2) == fingerprint("b" + text));
  CHECK(fingerprint_of_part(folder.path() / "text", 2, 2) == fingerprint(""));
}

}  // namespace
}  // namespace labelprobe::files
