#include "labelprobe/files/gguf.h"

#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

template <class T>
std::string raw(T number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &number, sizeof(T));
  return bytes;
}

std::string text(const std::string& content) {
  return raw(std::uint64_t{content.size()}) + content;
}

std::string pair(const std::string& key, std::uint32_t type, const std::string& content) {
  return text(key) + raw(type) + content;
}

std::string array(std::uint32_t type, std::uint64_t count, const std::string& content) {
  return raw(type) + raw(count) + content;
}

std::string entry(const std::string& name,
                  const std::vector<std::uint64_t>& dims,
                  std::uint32_t type,
                  std::uint64_t offset) {
  std::string bytes = text(name) + raw(static_cast<std::uint32_t>(dims.size()));
  for (const std::uint64_t n : dims) {
    bytes += raw(n);
  }
  return bytes + raw(type) + raw(offset);
}

std::string header(std::uint64_t n_tensors, std::uint64_t n_pairs, std::uint32_t version = 3) {
  return "GGUF" + raw(version) + raw(n_tensors) + raw(n_pairs);
}

std::string padded(std::string bytes, std::size_t alignment = 32) {
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment, '\0');
  return bytes;
}

// One of every value type, a float matrix of two rows of three, and one block of Q8_0.
std::string complete_file() {
  std::string bytes = header(2, 15);
  bytes += pair("u8", 0, raw(std::uint8_t{200})) + pair("i8", 1, raw(std::int8_t{-5}));
  bytes += pair("u16", 2, raw(std::uint16_t{60000})) + pair("i16", 3, raw(std::int16_t{-300}));
  bytes += pair("u32", 4, raw(std::uint32_t{4000000000})) + pair("i32", 5, raw(std::int32_t{-7}));
  bytes += pair("f32", 6, raw(0.5f)) + pair("flag", 7, raw(std::uint8_t{1}));
  bytes += pair("name", 8, text("llama")) + pair("u64", 10, raw(~std::uint64_t{0}));
  bytes += pair("i64", 11, raw(std::int64_t{-9})) + pair("f64", 12, raw(0.25));
  bytes += pair("words", 9, array(8, 3, text("a") + text("") + text("ccc")));
  bytes += pair("numbers", 9, array(5, 2, raw(std::int32_t{-1}) + raw(std::int32_t{2})));
  bytes += pair("flags", 9, array(7, 2, std::string("\0\1", 2)));
  bytes += entry("matrix", {3, 2}, 0, 0) + entry("quantized", {32}, 8, 32);
  bytes = padded(bytes);
  for (int i = 0; i < 6; ++i) {
    bytes += raw(static_cast<float>(i));
  }
  return padded(bytes) + std::string(34, 'q');
}

GgufFile open_bytes(const support::TempFolder& folder, const std::string& bytes) {
  const auto path = folder.path() / "model.gguf";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  return GgufFile::open(path);
}

std::string message_for(const std::string& bytes) {
  const support::TempFolder folder;
  try {
    open_bytes(folder, bytes);
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("Reads every type of metadata value", "[core][gguf]") {
  const support::TempFolder folder;
  const GgufFile gguf = open_bytes(folder, complete_file());
  CHECK(gguf.integer("u8") == 200);
  CHECK(gguf.integer("i8") == -5);
  CHECK(gguf.integer("u16") == 60000);
  CHECK(gguf.integer("i16") == -300);
  CHECK(gguf.integer("u32") == 4000000000);
  CHECK(gguf.integer("i32") == -7);
  CHECK(gguf.integer("i64") == -9);
  CHECK(gguf.number("f32") == 0.5);
  CHECK(gguf.number("f64") == 0.25);
  CHECK(gguf.number("i32") == -7.0);
  CHECK(gguf.boolean_or("flag", false));
  CHECK(gguf.string("name") == "llama");
  CHECK(gguf.strings("words") == std::vector<std::string>{"a", "", "ccc"});
  CHECK(gguf.integers("numbers") == std::vector<std::int64_t>{-1, 2});
  CHECK(std::get<std::vector<bool>>(gguf.metadata().at("flags")) == std::vector<bool>{false, true});
  CHECK(gguf.integer_or("absent", 3) == 3);
  CHECK(gguf.number_or("absent", 1.5) == 1.5);
  CHECK(gguf.string_or("absent", "x") == "x");
  CHECK_FALSE(gguf.has("absent"));
}

TEST_CASE("Finds every tensor's shape and bytes", "[core][gguf]") {
  const support::TempFolder folder;
  const GgufFile gguf = open_bytes(folder, complete_file());
  REQUIRE(gguf.tensors().size() == 2);
  const GgufTensor& matrix = gguf.tensors()[0];
  CHECK(matrix.name == "matrix");
  CHECK(matrix.shape == std::vector<std::int64_t>{2, 3});
  REQUIRE(matrix.bytes.size() == 24);
  float last = 0;
  std::memcpy(&last, matrix.bytes.data() + 20, 4);
  CHECK(last == 5.0f);
  const GgufTensor& quantized = gguf.tensors()[1];
  CHECK(quantized.type == static_cast<std::uint32_t>(GgmlType::Q8_0));
  REQUIRE(quantized.bytes.size() == 34);
  CHECK(quantized.bytes[33] == std::byte{'q'});
  CHECK(gguf.header_bytes().data() + gguf.header_bytes().size() == matrix.bytes.data());
}

TEST_CASE("Honours the alignment of the file and keeps unknown tensor types", "[core][gguf]") {
  const support::TempFolder folder;
  const std::string directory = header(1, 1, 2) +
                                pair("general.alignment", 4, raw(std::uint32_t{128})) +
                                entry("t", {7}, 999, 128);
  const GgufFile gguf = open_bytes(folder, padded(directory, 128) + std::string(128, 'x'));
  CHECK(gguf.header_bytes().size() == 128);
  CHECK(gguf.tensors()[0].type == 999);
  CHECK(gguf.tensors()[0].bytes.empty());
}

TEST_CASE("A file cut at any byte is refused", "[core][gguf]") {
  const support::TempFolder folder;
  const std::string bytes = complete_file();
  for (std::size_t n_bytes = 0; n_bytes < bytes.size(); ++n_bytes) {
    INFO("cut at " << n_bytes);
    REQUIRE_THROWS_AS(open_bytes(folder, bytes.substr(0, n_bytes)), ModelError);
  }
  CHECK_NOTHROW(open_bytes(folder, bytes));
}

TEST_CASE("A file with any byte of its directory changed is read or refused", "[core][gguf]") {
  const support::TempFolder folder;
  const std::string bytes = complete_file();
  for (std::size_t at = 0; at < bytes.size() - 34; ++at) {
    for (const char replacement : {'\x00', '\x7F', '\xFF'}) {
      std::string changed = bytes;
      changed[at] = replacement;
      try {
        const GgufFile gguf = open_bytes(folder, changed);
        REQUIRE(gguf.header_bytes().size() <= changed.size());
      } catch (const ModelError& error) {
        REQUIRE_THAT(error.what(), ContainsSubstring("model.gguf"));
      }
    }
  }
}

TEST_CASE("Messages about broken files name the place", "[core][gguf]") {
  CHECK_THAT(message_for("GGML" + raw(std::uint32_t{3})),
             ContainsSubstring("byte 0: expected the letters GGUF"));
  CHECK_THAT(message_for(header(0, 0, 1)),
             ContainsSubstring("byte 4: expected GGUF version 2 or 3, found 1"));
  CHECK_THAT(message_for(header(0, 0, 0x03000000)), ContainsSubstring("big-endian"));
  CHECK_THAT(message_for(header(std::uint64_t{1} << 60, 0)),
             ContainsSubstring("byte 8: expected a number of tensors"));
  CHECK_THAT(message_for(header(0, ~std::uint64_t{0})),
             ContainsSubstring("byte 16: expected a number of metadata pairs"));
  CHECK_THAT(message_for(header(0, 1) + raw(~std::uint64_t{0}) + std::string(20, 'x')),
             ContainsSubstring("byte 24: expected a metadata key of 18446744073709551615 bytes"));
  CHECK_THAT(message_for(header(0, 1) + pair("k", 13, std::string(8, 'x'))),
             ContainsSubstring("byte 33: expected a value type"));
  CHECK_THAT(message_for(header(0, 1) + pair("k", 7, "\x02")), ContainsSubstring("a bool, 0 or 1"));
  CHECK_THAT(message_for(header(0, 1) + pair("k", 9, array(9, 0, ""))),
             ContainsSubstring("not nested"));
  CHECK_THAT(message_for(header(0, 1) + pair("k", 9, array(8, std::uint64_t{1} << 61, ""))),
             ContainsSubstring("expected an array length"));
  const std::string key = pair("k", 0, "x");
  CHECK_THAT(message_for(header(0, 2) + key + key),
             ContainsSubstring("metadata key 'k' stands twice"));
  CHECK_THAT(message_for(header(0, 1) + pair("general.alignment", 4, raw(std::uint32_t{24}))),
             ContainsSubstring("'general.alignment': expected a power of two"));
}

TEST_CASE("Messages about broken tensors name the tensor", "[core][gguf]") {
  const auto with = [](const std::string& tensor) {
    return message_for(padded(header(1, 0) + tensor) + std::string(64, 'x'));
  };
  const std::uint64_t huge = std::uint64_t{1} << 40;
  CHECK(with(entry("t", {16}, 0, 0)) == "no error");
  CHECK_THAT(with(entry("t", {17}, 0, 0)),
             ContainsSubstring("byte 24: tensor 't': expected 68 bytes"));
  CHECK_THAT(with(entry("t", {1}, 0, 96)), ContainsSubstring("tensor 't': expected 4 bytes at 96"));
  CHECK_THAT(with(entry("t", {1}, 0, ~std::uint64_t{31})), ContainsSubstring("may be truncated"));
  CHECK_THAT(with(entry("t", {1}, 0, 4)), ContainsSubstring("aligned to 32"));
  CHECK_THAT(with(entry("t", {huge, huge}, 0, 0)), ContainsSubstring("more elements"));
  CHECK_THAT(with(entry("t", {huge, std::uint64_t{1} << 23}, 0, 0)),
             ContainsSubstring("more bytes"));
  CHECK_THAT(with(entry("t", {0}, 0, 0)), ContainsSubstring("expected a positive dimension"));
  CHECK_THAT(with(entry("t", {1, 1, 1, 1, 1}, 0, 0)), ContainsSubstring("1 to 4 dimensions"));
  CHECK_THAT(with(entry("t", {16, 2}, 8, 0)), ContainsSubstring("a multiple of 32, found 16"));
  const std::string twice = entry("t", {1}, 0, 0);
  CHECK_THAT(message_for(padded(header(2, 0) + twice + twice) + std::string(64, 'x')),
             ContainsSubstring("tensor 't' stands twice"));
}

TEST_CASE("Asking for a missing or other value names file and key", "[core][gguf]") {
  const support::TempFolder folder;
  const GgufFile gguf = open_bytes(folder, complete_file());
  CHECK_THROWS_WITH(
      gguf.integer("absent"),
      ContainsSubstring(
          "model.gguf: metadata key 'absent': expected an integer, found no such key"));
  CHECK_THROWS_WITH(gguf.strings("name"),
                    ContainsSubstring("expected an array of texts, found another type"));
  CHECK_THROWS_AS(gguf.integer("u64"), ModelError);
  CHECK_THROWS_AS(gguf.string_or("u8", ""), ModelError);
  CHECK_THROWS_AS(gguf.boolean_or("u8", true), ModelError);
  CHECK_THROWS_AS(GgufFile::open(folder.path() / "absent.gguf"), ModelError);
}

TEST_CASE("Opens a real file", "[core][gguf]") {
  const auto path = support::smollm2_gguf();
  if (path.empty()) {
    SKIP_ALOUD("no SmolLM2-135M-Instruct GGUF file");
  }
  const GgufFile gguf = GgufFile::open(path);
  CHECK(gguf.string("general.architecture") == "llama");
  CHECK(gguf.strings("tokenizer.ggml.tokens").size() == 49152);
  CHECK(gguf.tensors().size() == 272);
  for (const GgufTensor& tensor : gguf.tensors()) {
    CHECK_FALSE(tensor.bytes.empty());
  }
}

}  // namespace labelprobe::files
