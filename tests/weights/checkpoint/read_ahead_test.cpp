#include "weights/checkpoint/read_ahead.h"

#include <string>

#include "labelprobe/files/mapped_file.h"

#include "support/catch.h"
#include "support/paths.h"
#include "support/weight_files.h"

namespace labelprobe::weights {
namespace {

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("Reading ahead changes no byte, whatever is let go and in which order", "[unit]") {
  const support::TempFolder folder;
  std::string written;
  for (int i = 0; i < 3'000'000; ++i) written += static_cast<char>(i * 7 + i / 1000);
  support::write_file(folder.path() / "weights", written);
  const files::MappedFile file(folder.path() / "weights");
  std::vector<std::span<const std::byte>> parts;
  for (std::size_t at = 0; at < written.size(); at += 600'001) {
    parts.push_back(file.bytes().subspan(at, std::min<std::size_t>(600'001, written.size() - at)));
  }
  // So small a window is full at once: only what is let go makes room in it.
  ReadAhead read_ahead(parts, /*window_bytes=*/1000);
  for (const std::size_t i : {std::size_t{0}, parts.size() - 1, std::size_t{1}, std::size_t{2}}) {
    const std::size_t at = static_cast<std::size_t>(parts[i].data() - file.bytes().data());
    CHECK(text_of(parts[i]) == written.substr(at, parts[i].size()));
    read_ahead.let_go(parts[i]);
    CHECK(text_of(parts[i]) == written.substr(at, parts[i].size()));
  }
}

TEST_CASE("Reading ahead ends with its object, read to the end or not", "[unit]") {
  const support::TempFolder folder;
  support::write_file(folder.path() / "weights", std::string(100'000, 'x'));
  const files::MappedFile file(folder.path() / "weights");
  for (const std::size_t window : {std::size_t{1}, std::size_t{1} << 30}) {
    const ReadAhead read_ahead({file.bytes(), file.bytes().first(0)}, window);
    CHECK(file.text() == std::string(100'000, 'x'));
  }
}

}  // namespace labelprobe::weights
