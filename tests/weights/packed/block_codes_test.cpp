#include "weights/packed/block_codes.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include <c10/util/Half.h>
#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/paths.h"
#include "support/weight_files.h"
#include "weights/packed/block_reading.h"

namespace labelprobe::weights {
namespace {

std::string bytes_of_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::vector<std::uint32_t> list_of_hex(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::uint32_t> numbers;
  for (std::string word; words >> word;) {
    numbers.push_back(static_cast<std::uint32_t>(std::stoul(word, nullptr, 16)));
  }
  return numbers;
}

}  // namespace

TEST_CASE("Dequantises every format to the bits of the gguf package", "[golden]") {
  const auto fixture =
      nlohmann::json::parse(support::read_file(support::fixture("model/dequantize.json")));
  std::vector<std::string> types;
  for (const auto& reference : fixture["cases"]) {
    types.push_back(reference["type"]);
    INFO(types.back());
    const auto type = static_cast<files::GgmlType>(reference["type_number"].get<std::uint32_t>());
    const auto layout = files::block_layout(type);
    REQUIRE(layout);
    CHECK(layout->name == types.back());
    const std::string blocks = bytes_of_hex(reference["blocks"]);
    const std::vector<std::uint32_t> expected = list_of_hex(reference["float_bits"]);
    REQUIRE(expected.size() == blocks.size() / static_cast<std::size_t>(layout->n_bytes) *
                                   static_cast<std::size_t>(layout->n_elements));

    // One byte off the allocation's alignment: blocks lie anywhere in a file.
    std::vector<std::byte> unaligned(blocks.size() + 1);
    std::memcpy(unaligned.data() + 1, blocks.data(), blocks.size());
    std::vector<float> floats(expected.size());
    dequantize_row(type, unaligned.data() + 1, static_cast<std::int64_t>(floats.size()),
                   floats.data());

    std::vector<std::uint32_t> found(expected.size());
    std::memcpy(found.data(), floats.data(), found.size() * sizeof(float));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Zero times a negative number: the sign of zero means nothing.
      const bool is_zero = (found[i] & expected[i] & 0x7FFFFFFF) == 0 && floats[i] == 0.0F;
      INFO("element " << i);
      CHECK((is_zero || found[i] == expected[i]));
    }
  }
  CHECK(types.size() == 23);
}

TEST_CASE("A float16's bits make the number that ATen makes of them", "[unit]") {
  for (std::uint32_t bits = 0; bits <= 0xFFFFU; ++bits) {
    const float expected = c10::detail::fp16_ieee_to_fp32_value(static_cast<std::uint16_t>(bits));
    const float found = half_value(bits);
    const bool is_same = std::isnan(expected) ? std::isnan(found)
                                              : std::bit_cast<std::uint32_t>(found) ==
                                                    std::bit_cast<std::uint32_t>(expected);
    if (!is_same) FAIL("bits " << bits << ": " << found << " for " << expected);
  }
}

}  // namespace labelprobe::weights
