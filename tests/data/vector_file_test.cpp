// Sentence vectors from files of numpy and safetensors.
#include "labelprobe/data/vector_file.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::data {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string npy(const std::string& header, const std::string& bytes) {
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header +
         bytes;
}

std::string safetensors(const std::string& header, const std::string& bytes) {
  const std::uint64_t size = header.size();
  std::string length(8, '\0');
  std::memcpy(length.data(), &size, 8);
  return length + header + bytes;
}

std::string message_of(const std::string& content, const std::string& ids = "a\nb\n") {
  const support::TempFolder folder;
  const fs::path path = folder.path() / "v.bin";
  std::ofstream(path, std::ios::binary) << content;
  std::ofstream(path.string() + ".ids.txt", std::ios::binary) << ids;
  try {
    VectorFile::load(path);
  } catch (const DataError& error) {
    return error.what();
  }
  return "no DataError";
}

const std::string kTwoFloats(8, '\0');
const std::string kHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";

}  // namespace

TEST_CASE("Reads vectors of every form as numpy and safetensors wrote them", "[vector_file]") {
  const fs::path folder = support::fixture("data/vectors");
  const auto expected = nlohmann::json::parse(read(folder / "expected.json")).at("vectors");
  const std::vector<Example> examples = {{"de2", "ann7", "", {}},
                                         {"de0", "aggregate", "", {}},
                                         {"de1", "aggregate", "", {}},
                                         {"de1", "ann3", "", {}}};
  for (const std::string name :
       {"float32.npy", "float64.npy", "float16.safetensors", "float32.safetensors"}) {
    CAPTURE(name);
    const VectorFile file = VectorFile::load(folder / name);
    REQUIRE(file.n_dims() == 4);
    const std::vector<float> vectors = file.vectors_of(examples);
    REQUIRE(vectors.size() == 16);
    const std::size_t rows[] = {2, 0, 1, 1};
    for (std::size_t i = 0; i < 16; ++i) {
      CHECK(vectors[i] == expected[rows[i / 4]][i % 4].get<float>());
    }
  }
}

TEST_CASE("Says how many items have no vector, and the first", "[vector_file]") {
  const VectorFile file = VectorFile::load(support::fixture("data/vectors/float32.npy"));
  const std::vector<Example> examples = {
      {"de0", "aggregate", "", {}}, {"de2", "aggregate", "", {}}, {"x", "ann7", "", {}}};
  CHECK_THROWS_WITH(file.vectors_of(examples),
                    ContainsSubstring("expected a vector of each of 3 items, found none of 2 of "
                                      "them, the first 'de2__aggregate'"));
}

TEST_CASE("Broken vector files say what is wrong with them", "[vector_file]") {
  CHECK(message_of(npy(kHeader, kTwoFloats)) == "no DataError");
  CHECK(message_of(npy(kHeader, kTwoFloats), "a\r\nb") == "no DataError");
  CHECK_THAT(message_of(npy(kHeader, "1234567")),
             ContainsSubstring("expected 2 vectors of 4 bytes, found 7 bytes"));
  CHECK_THAT(message_of(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1), }", "")),
             ContainsSubstring("float32 or float64 in C order, found the header {'descr': '<i4'"));
  CHECK_THAT(message_of(npy("{'descr': '<f4', 'fortran_order': False, 'shape': "
                            "(999999999999999, 999999999), }",
                            kTwoFloats)),
             ContainsSubstring("expected vectors of 1 to 1048576 numbers"));
  CHECK_THAT(message_of(npy(kHeader, std::string("\0\0\x80\x7f\0\0\0\0", 8))),
             ContainsSubstring("expected finite numbers, found others in the vector of 'a'"));
  CHECK_THAT(message_of(npy(kHeader, kTwoFloats), "a\na\n"),
             ContainsSubstring("expected every id once, found 'a' a second time"));
  CHECK_THAT(message_of(npy(kHeader, kTwoFloats), "a\n"),
             ContainsSubstring("expected as many ids as vectors, 2, found 1"));
  CHECK_THAT(message_of(npy(kHeader, kTwoFloats), "a\n\nb\n"),
             ContainsSubstring(".ids.txt:2: expected an id, found an empty line"));
  const std::string entry = R"({"dtype":"F32","shape":[2,1],"data_offsets":[0,8]})";
  CHECK(message_of(safetensors("{\"vectors\":" + entry + "}", kTwoFloats)) == "no DataError");
  CHECK_THAT(message_of(safetensors("{\"vectors\":" + entry + "}", "1234")),
             ContainsSubstring("(is the file truncated?)"));
  CHECK_THAT(message_of(safetensors("{\"vector\":" + entry + "}", kTwoFloats)),
             ContainsSubstring("expected a tensor called `vectors`, found none"));
  CHECK_THAT(
      message_of(safetensors(
          "{\"vectors\":{\"dtype\":\"I8\",\"shape\":[8,1],\"data_offsets\":[0,8]}}", kTwoFloats)),
      ContainsSubstring("expected F32 or F16 as the dtype of `vectors`, found I8"));
  CHECK_THAT(message_of(safetensors(
                 "{\"__metadata__\":{\"ids\":\"[1,2]\"},\"vectors\":" + entry + "}", kTwoFloats)),
             ContainsSubstring("ids of the metadata: key '[0]': expected a string, found 1"));
  for (const std::string content :
       {"", "\x93NUMPY", "12345678", "\xff\xff\xff\xff\xff\xff\xff\xff"}) {
    CHECK(message_of(content) != "no DataError");
  }
  const std::string whole = read(support::fixture("data/vectors/float16.safetensors"));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    CHECK(message_of(whole.substr(0, n)) != "no DataError");
  }
}

}  // namespace labelprobe::data
