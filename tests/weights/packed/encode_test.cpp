#include "weights/packed/encode.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"
#include "weights/packed/block_codes.h"

namespace labelprobe::weights {
namespace {

using files::GgmlType;

std::vector<std::byte> encoded(GgmlType type, std::span<const float> numbers) {
  const files::BlockLayout layout = *files::block_layout(type);
  std::vector<std::byte> blocks(numbers.size() / static_cast<std::size_t>(layout.n_elements) *
                                static_cast<std::size_t>(layout.n_bytes));
  encode_row(type, numbers, blocks.data());
  return blocks;
}

TEST_CASE("Numbers become the blocks of the gguf package", "[golden]") {
  const auto fixture =
      nlohmann::json::parse(support::read_file(support::fixture("model/quantize.json")));
  std::vector<float> numbers;
  std::istringstream words(fixture["float_bits"].get<std::string>());
  for (std::string word; words >> word;) {
    numbers.push_back(
        std::bit_cast<float>(static_cast<std::uint32_t>(std::stoul(word, nullptr, 16))));
  }
  REQUIRE(numbers.size() == 160);
  for (const auto& reference : fixture["cases"]) {
    INFO(reference["type"]);
    std::string digits;
    for (const std::byte byte :
         encoded(static_cast<GgmlType>(reference["type_number"].get<std::uint32_t>()), numbers)) {
      digits += fmt::format("{:02x}", std::to_integer<int>(byte));
    }
    CHECK(digits == reference["blocks"]);
  }
}

// A code may be half a step off, and each group's scale and offset half a step of theirs.
TEST_CASE("Q4_K errs by what its codes cannot say", "[unit]") {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> numbers(8 * 256);
  for (float& number : numbers) number = normal(random);
  for (int i = 0; i < 256; ++i) numbers[i] = 0.0F;
  for (int i = 256; i < 512; ++i) numbers[i] = std::fabs(numbers[i]);
  std::vector<float> read(numbers.size());
  dequantize_row(GgmlType::Q4_K, encoded(GgmlType::Q4_K, numbers).data(),
                 static_cast<std::int64_t>(read.size()), read.data());
  double squares = 0.0;
  for (std::size_t i = 0; i < read.size(); ++i) {
    INFO(i);
    const float error = read[i] - numbers[i];
    // A group of 32 normal numbers spans at most 8 standard deviations, here.
    REQUIRE(std::fabs(error) <= 0.02F * (8.0F / 15 / 2 + 8.0F / 63 / 2 + 4.0F / 63 / 2) + 1e-6F);
    squares += static_cast<double>(error) * error;
  }
  CHECK(std::sqrt(squares / static_cast<double>(read.size())) < 0.1 * 0.02);
  CHECK(read[0] == 0.0F);
}

TEST_CASE("Types that nobody encodes are refused", "[unit]") {
  CHECK(can_encode(GgmlType::Q4_K));
  CHECK_FALSE(can_encode(GgmlType::IQ2_S));
  const std::vector<float> numbers(256);
  std::vector<std::byte> blocks(1024);
  CHECK_THROWS_AS(encode_row(GgmlType::IQ2_S, numbers, blocks.data()), InternalError);
  CHECK_THROWS_AS(encode_row(GgmlType::Q4_K, std::span(numbers).first(32), blocks.data()),
                  InternalError);
}

}  // namespace
}  // namespace labelprobe::weights
