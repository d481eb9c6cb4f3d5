#include "weights/checkpoint/content_print.h"

#include <chrono>
#include <thread>

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"
#include "weights/checkpoint/checkpoint.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// As if it had been written an hour ago; the system's own time of change cannot be set.
void make_old(const fs::path& file) {
  fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1));
}

}  // namespace

TEST_CASE("Any byte of the weights changes the model's fingerprint", "[unit]") {
  const support::TempFolder folder;
  const fs::path model = folder.path() / "model";
  fs::copy(support::fixture("model/llama_mha"), model, fs::copy_options::recursive);
  const fs::path file = model / "model.safetensors";
  const std::string bytes = support::read_file(file);
  const std::string whole = Checkpoint::open(model).fingerprint();
  CHECK(whole.size() == 32);
  CHECK(Checkpoint::open(support::fixture("model/llama_mha")).fingerprint() == whole);
  for (const std::size_t at : {bytes.size() - 1, bytes.size() / 2, bytes.size() / 3}) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    support::write_file(file, changed);
    CHECK(Checkpoint::open(model).fingerprint() != whole);
  }
  support::write_file(file, bytes);
  CHECK(Checkpoint::open(model).fingerprint() == whole);
}

TEST_CASE("Files that changed are read again, whatever is remembered", "[unit]") {
  const support::TempFolder folder;
  const fs::path cache = folder.path() / "cache";
  const PrintMemory memory(cache, /*least_bytes=*/1);
  const std::vector<fs::path> files = {folder.path() / "weights"};
  support::write_file(files[0], "abc");
  make_old(files[0]);
  const auto print_of = [&](const std::string& content) {
    const std::vector<std::span<const std::byte>> parts = {bytes_of(content)};
    return memory.content_print(parts, files, "sample");
  };
  // A file of this very moment is not remembered: its times may not tell the next change.
  const std::string abc = print_of("abc");
  CHECK(print_of("abd") != abc);
  CHECK_FALSE(fs::exists(cache));

  std::this_thread::sleep_for(std::chrono::milliseconds(3100));
  CHECK(print_of("abc") == abc);
  REQUIRE(fs::exists(cache));
  CHECK(print_of("not read again") == abc);
  support::write_file(files[0], "abd");
  CHECK(print_of("abd") != abc);
}

TEST_CASE("A cache that holds something else, or cannot be written, is none", "[unit]") {
  const support::TempFolder folder;
  const std::vector<fs::path> files = {support::fixture("model/llama_mha/model.safetensors")};
  const std::string content = "abc";
  const std::vector<std::span<const std::byte>> parts = {bytes_of(content)};
  support::write_file(folder.path() / "file", "");
  const std::string print =
      PrintMemory(folder.path() / "file" / "cache", 1).content_print(parts, files, "s1");
  CHECK(PrintMemory("", 1).content_print(parts, files, "s2") == print);
  PrintMemory(folder.path() / "cache", 1).content_print(parts, files, "s3");
  for (const auto& entry : fs::directory_iterator(folder.path() / "cache")) {
    CHECK(support::read_file(entry.path()) == print + "\n");
  }
}

}  // namespace labelprobe::weights
