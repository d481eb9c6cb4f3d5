#include "labelprobe/files/gguf_writer.h"

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/files/gguf.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

TEST_CASE("What is written as GGUF is read back", "[gguf_writer]") {
  const support::TempFolder folder;
  const auto path = folder.path() / "model.gguf";
  const GgufMetadata metadata = {{"a.whole", std::uint32_t{7}},
                                 {"a.negative", std::int32_t{-7}},
                                 {"a.number", 0.5F},
                                 {"a.flag", true},
                                 {"a.text", std::string("text")},
                                 {"a.wholes", std::vector<std::int32_t>{1, -2}},
                                 {"a.numbers", std::vector<float>{0.25F}},
                                 {"a.texts", std::vector<std::string>{"", "two"}}};
  const std::vector<GgufTensorToWrite> tensors = {{"odd", GgmlType::F32, {3}},
                                                  {"blocks", GgmlType::Q8_0, {2, 64}}};
  GgufWriter writer(path, metadata, tensors);
  CHECK(writer.n_bytes() == 12 + 4 * 34);
  const std::vector<float> odd = {1.0F, 2.0F, 3.0F};
  const std::vector<std::byte> blocks(4 * 34, std::byte{5});
  writer.write_part("blocks", 68, std::span(blocks).first(68));
  writer.write_part("odd", 0, std::as_bytes(std::span(odd)));
  CHECK_THROWS_AS(writer.close(), InternalError);
  writer.write_part("blocks", 0, std::span(blocks).first(68));
  writer.close();
  CHECK(std::filesystem::file_size(path) == GgufWriter::bytes_on_disk(metadata, tensors));

  const GgufFile file = GgufFile::open(path);
  CHECK(file.integer("a.whole") == 7);
  CHECK(file.integer("a.negative") == -7);
  CHECK(file.number("a.number") == 0.5);
  CHECK(file.boolean_or("a.flag", false));
  CHECK(file.string("a.text") == "text");
  CHECK(file.integers("a.wholes") == std::vector<std::int64_t>{1, -2});
  CHECK(file.strings("a.texts") == std::vector<std::string>{"", "two"});
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[1].name == "blocks");
  CHECK(file.tensors()[1].shape == std::vector<std::int64_t>{2, 64});
  REQUIRE(file.tensors()[0].bytes.size() == 12);
  CHECK(std::memcmp(file.tensors()[0].bytes.data(), odd.data(), 12) == 0);
  REQUIRE(file.tensors()[1].bytes.size() == blocks.size());
  CHECK(std::memcmp(file.tensors()[1].bytes.data(), blocks.data(), blocks.size()) == 0);

  CHECK_THROWS_WITH(GgufWriter(path, metadata, tensors),
                    ContainsSubstring("model.gguf: cannot be written: File exists"));
}

}  // namespace
}  // namespace labelprobe::files
