#include "weights/checkpoint/safetensors.h"

#include <string>
#include <vector>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"
#include "support/weight_files.h"

namespace labelprobe::weights {
namespace {

using support::safetensors_bytes;
using support::TempFolder;
using support::write_file;

}  // namespace

TEST_CASE("Takes the tensors of a file by the types that are read", "[unit]") {
  const TempFolder folder;
  write_file(folder.path() / "w.safetensors",
             safetensors_bytes(R"({"late":{"dtype":"I64","shape":[1],"data_offsets":[12,20]},)"
                               R"("early":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}})",
                               std::string(20, 'x')));
  const auto file = files::SafetensorsFile::open(folder.path() / "w.safetensors", ErrorKind::Model);
  const std::vector<StoredTensor> tensors = stored_tensors(file);
  REQUIRE(tensors.size() == 2);
  CHECK(tensors[0].name == "early");
  CHECK(tensors[0].type == files::GgmlType::BF16);
  CHECK(tensors[0].file == folder.path() / "w.safetensors");
  CHECK(tensors[1].type_name == "I64");
  CHECK_FALSE(tensors[1].type);
}

TEST_CASE("Opens every shard that the index names", "[unit]") {
  const auto files = open_safetensors(support::fixture("model/llama_shards"));
  CHECK(files.size() == 5);
}

TEST_CASE("Says what is wrong with the shards of a model", "[unit]") {
  const TempFolder folder;
  const std::string tensor = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const auto message = [&](const std::string& index) -> std::string {
    write_file(folder.path() / "model.safetensors.index.json", index);
    try {
      open_safetensors(folder.path());
    } catch (const ModelError& error) {
      return error.what();
    }
    return "no error";
  };
  write_file(folder.path() / "one.safetensors", safetensors_bytes(tensor, "12345678"));
  CHECK(message(R"({"weight_map":{"a":"one.safetensors"}})") == "no error");
  CHECK_THAT(message(R"({"weight_map":{"a":"one.safetensors","b":"one.safetensors"}})"),
             ContainsSubstring("tensor b: expected in one.safetensors, which does not hold it"));
  CHECK_THAT(message(R"({"weight_map":{"a":"two.safetensors"}})"),
             ContainsSubstring("two.safetensors: named by model.safetensors.index.json, but not"));
  for (const char* escape : {"../one.safetensors", "/etc/passwd", "..", ""}) {
    INFO(escape);
    CHECK_THAT(message(std::string(R"({"weight_map":{"a":")") + escape + "\"}}"),
               ContainsSubstring("expected the name of a file in the same folder"));
  }
  CHECK_THAT(message(R"({"weight_map":{"a":7}})"), ContainsSubstring("expected a string, found 7"));
  CHECK_THAT(message("{}"), ContainsSubstring("key 'weight_map' is missing"));
}

TEST_CASE("A folder without safetensors says what it holds instead", "[unit]") {
  const TempFolder folder;
  const auto message = [&]() -> std::string {
    try {
      open_safetensors(folder.path());
    } catch (const ModelError& error) {
      return error.what();
    }
    return "no error";
  };
  CHECK_THAT(message(), ContainsSubstring("expected weights in model.safetensors or "
                                          "model.safetensors.index.json, found neither"));
  write_file(folder.path() / "pytorch_model.bin", "x");
  CHECK_THAT(message(), ContainsSubstring("found pytorch_model.bin, a Python pickle") &&
                            ContainsSubstring(".save_pretrained('" + folder.path().string()));
  std::filesystem::remove(folder.path() / "pytorch_model.bin");
  write_file(folder.path() / "weights.gguf", "x");
  CHECK_THAT(message(), ContainsSubstring("found weights.gguf; to use it, name that file"));
}

}  // namespace labelprobe::weights
