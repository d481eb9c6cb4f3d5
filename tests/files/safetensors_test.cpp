#include "labelprobe/files/safetensors.h"

#include <string>
#include <vector>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/paths.h"
#include "support/weight_files.h"

namespace labelprobe::files {
namespace {

using support::safetensors_bytes;
using support::TempFolder;
using support::write_file;

constexpr const char* kTwoTensors =
    R"({"__metadata__":{"format":"pt"},)"
    R"("late":{"dtype":"I64","shape":[1],"data_offsets":[12,20]},)"
    R"("early":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}})";

std::string message_for_file(const std::string& bytes) {
  const TempFolder folder;
  write_file(folder.path() / "w.safetensors", bytes);
  try {
    SafetensorsFile::open(folder.path() / "w.safetensors", ErrorKind::Model);
  } catch (const ModelError& error) {
    CHECK_THAT(error.what(), ContainsSubstring("w.safetensors"));
    return error.what();
  }
  return "no error";
}

std::string message_for_header(const std::string& header, std::size_t n_bytes = 8) {
  return message_for_file(safetensors_bytes(header, std::string(n_bytes, 'x')));
}

}  // namespace

TEST_CASE("Reads names, types, shapes and bytes of a safetensors file", "[unit]") {
  const TempFolder folder;
  write_file(folder.path() / "w.safetensors",
             safetensors_bytes(kTwoTensors, "abcdefghijklABCDEFGH"));
  const SafetensorsFile file =
      SafetensorsFile::open(folder.path() / "w.safetensors", ErrorKind::Model);
  REQUIRE(file.tensors().size() == 2);
  const SafetensorsTensor& early = file.tensors()[0];
  CHECK(early.name == "early");
  CHECK(early.type == "BF16");
  CHECK(early.shape == std::vector<std::int64_t>{2, 3});
  CHECK(std::string(reinterpret_cast<const char*>(early.bytes.data()), early.bytes.size()) ==
        "abcdefghijkl");
  const SafetensorsTensor& late = file.tensors()[1];
  CHECK(late.name == "late");
  CHECK(late.type == "I64");
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.header_bytes().size() == 8 + std::string(kTwoTensors).size());
}

TEST_CASE("Says where a safetensors header is wrong", "[unit]") {
  struct Case {
    const char* header;
    const char* message;
  };
  const std::vector<Case> cases = {
      {"[1]", "expected a JSON object, found [1]"},
      {"{", "expected JSON, found an error at byte"},
      {"{\"a\":\xff}", "expected JSON, found an error at byte"},
      {R"({"a":3})", "key 'a': expected an object, found 3"},
      {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", "key 'a.dtype' is missing"},
      {R"({"a":{"dtype":"Q7","shape":[2],"data_offsets":[0,8]}})",
       "key 'a.dtype': expected a type of the safetensors format, found \"Q7\""},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
       "key 'a.shape': expected a list of integers from 0, found [-2]"},
      {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "found 2"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}})", "found [1.5]"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})",
       "key 'a.shape': expected at most 281474976710656 elements"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})",
       "key 'a.shape': expected at most"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "key 'a.data_offsets'"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "key 'a.data_offsets'"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}})",
       "within the 8 bytes that follow the header (is the file truncated?), found [0,12]"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
       "expected 12 bytes for F32 of shape [3], found 8"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "expected 4 bytes behind the header, found 8"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       "tensor a: expected at byte 0 behind the header, where the one before it ends, found at 4"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
       R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       "tensor b: expected at byte 8"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
       R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       "key 'a' is there twice"},
      {R"({"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}})",
       "key 'dtype' is there twice"},
      {R"({"__metadata__":{"a":1}})", "key '__metadata__.a': expected a string, found 1"},
      {R"({"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}})", "expected JSON"},
  };
  for (const Case& one : cases) {
    INFO(one.header);
    CHECK_THAT(message_for_header(one.header), ContainsSubstring(one.message));
  }
}

TEST_CASE("Does not trust the header length of a safetensors file", "[unit]") {
  CHECK_THAT(message_for_file(""), ContainsSubstring("expected a safetensors file, found 0 bytes"));
  CHECK_THAT(message_for_file(std::string(8, '\xff')),
             ContainsSubstring("18446744073709551615 bytes"));
  CHECK_THAT(message_for_file(support::bytes_of(std::uint64_t{3}) + "{}"),
             ContainsSubstring("found one of 3 bytes"));
  CHECK_THAT(message_for_header(std::string(100000, '[')), ContainsSubstring("levels deep"));
  CHECK_THAT(message_for_header(R"({"a":)" + std::string(100000, '{')),
             ContainsSubstring("expected JSON"));
}

TEST_CASE("A safetensors file cut off anywhere is an error", "[unit]") {
  const std::string whole = safetensors_bytes(kTwoTensors, std::string(20, 'x'));
  for (std::size_t n_kept = 0; n_kept < whole.size(); ++n_kept) {
    INFO("bytes kept: " << n_kept);
    CHECK(message_for_file(whole.substr(0, n_kept)) != "no error");
  }
}

TEST_CASE("A safetensors file with one flipped byte is read or refused, never a crash", "[unit]") {
  const std::string whole = safetensors_bytes(kTwoTensors, std::string(20, 'x'));
  int n_refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int mask : {0x01, 0x02, 0x20, 0x80}) {
      std::string broken = whole;
      broken[i] = static_cast<char>(broken[i] ^ mask);
      n_refused += message_for_file(broken) != "no error" ? 1 : 0;
    }
  }
  CHECK(n_refused > 300);
}

}  // namespace labelprobe::files
