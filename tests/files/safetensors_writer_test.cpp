#include "labelprobe/files/safetensors_writer.h"

#include <thread>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"
#include "support/weight_files.h"

namespace labelprobe::files {
namespace {

namespace fs = std::filesystem;
using support::TempFolder;

const std::vector<TensorToWrite> kTensors = {
    {"a", "U8", {3}}, {"b", "F32", {2, 2}}, {"c", "BF16", {5}}, {"d", "I8", {}}};

std::vector<std::byte> filled(std::size_t n, int byte) {
  return std::vector<std::byte>(n, static_cast<std::byte>(byte));
}

void write_all(SafetensorsWriter& writer) {
  // Not in the order of the list.
  writer.write("d", filled(1, 4));
  writer.write("a", filled(3, 1));
  writer.write("c", filled(10, 3));
  writer.write("b", filled(16, 2));
  writer.close();
}

SafetensorsFile open(const fs::path& path) {
  return SafetensorsFile::open(path, ErrorKind::Model);
}

void check_tensor(const SafetensorsTensor& tensor) {
  INFO(tensor.name);
  const auto wanted = std::find_if(kTensors.begin(), kTensors.end(),
                                   [&](const auto& known) { return known.name == tensor.name; });
  REQUIRE(wanted != kTensors.end());
  CHECK(tensor.type == wanted->type);
  CHECK(tensor.shape == wanted->shape);
  const auto expected = filled(wanted->n_bytes(), static_cast<int>(wanted - kTensors.begin()) + 1);
  CHECK(std::equal(tensor.bytes.begin(), tensor.bytes.end(), expected.begin(), expected.end()));
}

}  // namespace

TEST_CASE("Writes one file, the wider types first", "[unit]") {
  const TempFolder folder;
  SafetensorsWriter writer(folder.path(), kTensors);
  CHECK(writer.n_bytes() == 30);
  write_all(writer);
  const SafetensorsFile file = open(folder.path() / "model.safetensors");
  std::string order;
  for (const SafetensorsTensor& tensor : file.tensors()) {
    check_tensor(tensor);
    order += tensor.name;
  }
  CHECK(order == "bcad");
  CHECK(file.header_bytes().size() % 8 == 0);
  CHECK(file.metadata().at("format") == "pt");
}

TEST_CASE("Writes shards of the size asked for, and their index", "[unit]") {
  const TempFolder folder;
  SafetensorsWriter writer(folder.path(), kTensors, /*max_shard_bytes=*/19);
  write_all(writer);
  const auto index =
      nlohmann::json::parse(support::read_file(folder.path() / "model.safetensors.index.json"));
  CHECK(index["metadata"]["total_size"] == 30);
  CHECK(index["weight_map"]["a"] == "model-00001-of-00002.safetensors");
  CHECK(index["weight_map"]["b"] == "model-00001-of-00002.safetensors");
  CHECK(index["weight_map"]["d"] == "model-00002-of-00002.safetensors");
  for (const char* name :
       {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}) {
    const SafetensorsFile file = open(folder.path() / name);
    CHECK(file.tensors().size() == 2);
    for (const SafetensorsTensor& tensor : file.tensors()) check_tensor(tensor);
  }
}

TEST_CASE("Tensors may come in parts from several threads", "[unit]") {
  const TempFolder folder;
  SafetensorsWriter writer(folder.path(), kTensors);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kTensors.size(); ++i) {
    threads.emplace_back([&, i] {
      const TensorToWrite& tensor = kTensors[i];
      for (std::size_t first = tensor.n_bytes(); first-- > 0;) {
        writer.write_part(tensor.name, first, filled(1, static_cast<int>(i) + 1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(writer.n_bytes_written() == 30);
  writer.close();
  const SafetensorsFile file = open(folder.path() / "model.safetensors");
  for (const SafetensorsTensor& tensor : file.tensors()) check_tensor(tensor);
}

TEST_CASE("A tensor that is not written, or too much of it, is a bug", "[unit]") {
  const TempFolder folder;
  SafetensorsWriter writer(folder.path(), kTensors);
  writer.write_part("b", 0, filled(15, 2));
  CHECK_THROWS_AS(writer.write_part("b", 15, filled(2, 2)), InternalError);
  CHECK_THROWS_AS(writer.write("a", filled(2, 2)), InternalError);
  CHECK_THROWS_AS(writer.close(), InternalError);
}

TEST_CASE("Knows beforehand what the files take", "[unit]") {
  const std::size_t max_shard_bytes = GENERATE(19U, 100U);
  const TempFolder folder;
  SafetensorsWriter writer(folder.path(), kTensors, max_shard_bytes);
  write_all(writer);
  std::size_t n_bytes = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path())) {
    if (entry.path().extension() == ".safetensors") n_bytes += entry.file_size();
  }
  CHECK(SafetensorsWriter::bytes_on_disk(kTensors, max_shard_bytes) == n_bytes);
}

TEST_CASE("Writes tensors that are in memory in the order given", "[unit]") {
  const TempFolder folder;
  const std::vector<std::byte> numbers = filled(8, 7);
  const std::vector<SafetensorsTensor> tensors = {{"z", "F32", {1, 2}, numbers},
                                                  {"a", "U8", {8}, numbers}};
  write_safetensors(folder.path() / "x.safetensors", tensors, ErrorKind::Config);
  const SafetensorsFile file = open(folder.path() / "x.safetensors");
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.tensors()[0].name == "z");
  CHECK(file.tensors()[1].bytes.back() == numbers.back());
  CHECK(file.metadata().empty());
  CHECK(file.header_bytes().size() % 8 == 0);
  CHECK_THROWS_AS(write_safetensors(folder.path() / "no" / "x", tensors, ErrorKind::Config),
                  ConfigError);
}

TEST_CASE("Writes texts beside the tensors", "[unit]") {
  const TempFolder folder;
  const std::vector<std::byte> numbers = filled(8, 7);
  const std::vector<SafetensorsTensor> tensors = {{"a", "U8", {8}, numbers}};
  {
    std::ofstream out(folder.path() / "x.safetensors", std::ios::binary);
    write_safetensors(out, tensors, {{"ids", R"(["a", "b"])"}});
  }
  const SafetensorsFile file = open(folder.path() / "x.safetensors");
  CHECK(file.metadata().at("ids") == R"(["a", "b"])");
  CHECK(file.tensors().size() == 1);
}

TEST_CASE("Says which file cannot be written", "[unit]") {
  CHECK_THROWS_WITH(SafetensorsWriter("no/such/folder", kTensors),
                    ContainsSubstring("no/such/folder/model.safetensors: cannot be written: "));
}

}  // namespace labelprobe::files
