// Where the memory of a card goes, and what is said where it is too small.
#include <cmath>
#include <map>
#include <string>

#include "labelprobe/core/error.h"
#include "labelprobe/model/cost.h"

#include "support/catch.h"

namespace labelprobe::model {
namespace {

Cost cost_of(const std::string& shape,
             const std::string& card,
             Quantization quantization = Quantization::None,
             int n_new_tokens = 1) {
  CostQuestion question{shape, {}, 1e9};
  question.options.dtype = DType::BFloat16;
  question.options.device = card;
  question.options.quantization = quantization;
  const std::vector<TokenIds> prompts = {TokenIds(100, 5), TokenIds(60, 6), {5, 5, 7}};
  GenerateOptions options;
  options.stop.max_new_tokens = n_new_tokens;
  return estimate_cost(question, prompts, options);
}

std::map<std::string, double> bytes_of(const Cost& cost) {
  std::map<std::string, double> bytes;
  for (const MemoryLine& line : cost.memory) bytes[line.what] = line.bytes;
  return bytes;
}

}  // namespace

TEST_CASE("The budget holds the weights and the keys and values to the byte", "[unit]") {
  const Cost cost = cost_of("llama-3.1-8b", "h200", Quantization::None, 4);
  const auto bytes = bytes_of(cost);
  CHECK(bytes.at("weights") == 2.0 * 8'030'261'248);
  // 161 distinct tokens and three answers of four, in 32 layers of 8 heads of 128 numbers, twice.
  CHECK(bytes.at("keys and values") == (161.0 + 3 * 4) * 2 * 32 * 8 * 128 * 2);
  CHECK(bytes.at("logits") == 256.0 * 128256 * (2 + 4));
  CHECK_FALSE(bytes.contains("one matrix, unpacked"));
  CHECK(cost.advice.empty());
  const auto packed = bytes_of(cost_of("llama-3.1-8b", "h200", Quantization::Fp4));
  CHECK(packed.at("weights") < 0.4 * bytes.at("weights"));
  CHECK(packed.at("one matrix, unpacked") == 2.0 * 14336 * 4096 * 2);
}

TEST_CASE("Weights that do not fit are said, with the cards that hold them", "[unit]") {
  const Cost cost = cost_of("llama-3.1-70b", "a100-80gb");
  CHECK_THAT(cost.advice, ContainsSubstring("the weights do not fit; they fit b200, h200;") &&
                              ContainsSubstring("--device a100-80gb,a100-80gb;") &&
                              ContainsSubstring("with --quant fp4 they take 42.7 GB, which fit "
                                                "a100-80gb"));
  CHECK(cost_of("llama-3.1-70b", "a100-80gb", Quantization::Fp4).advice.empty());
  CHECK_THAT(cost_of("llama-3.1-70b", "rtx-4090").advice, ContainsSubstring("do not fit rtx-4090"));
}

TEST_CASE("Cards that share the layers each hold their part, and the first what all need",
          "[unit]") {
  const Cost cost = cost_of("llama-3.1-70b", "h200,h200");
  const auto whole = bytes_of(cost_of("llama-3.1-70b", "h200"));
  const auto part = bytes_of(cost);
  // 80 layers and 2 x 2.1 GB of embedding and head: 39 layers and these, or 41 layers, in bfloat16.
  const double of_layers = whole.at("weights") - 2 * 2101346304.0;
  CHECK(
      part.at("weights") ==
      Approx(std::max(of_layers * 39 / 80 + 2 * 2101346304.0, of_layers * 41 / 80)).epsilon(1e-9));
  CHECK(part.at("keys and values") == Approx(whole.at("keys and values") * 41 / 80));
  CHECK_FALSE(part.contains("graph of a step"));
  CHECK(cost.card == "2 x NVIDIA H200 SXM, 141 GB");
  CHECK_THROWS_WITH(cost_of("llama-3.1-70b", "h200,h100"), ContainsSubstring("that are alike"));
  CHECK_THROWS_WITH(cost_of("llama-3.1-70b", "h200,h20"), ContainsSubstring("unknown card 'h20'"));
}

TEST_CASE("Every part of the time has a cause, and all of them make the whole", "[unit]") {
  const Cost cost = cost_of("llama-3.1-8b", "a40", Quantization::None, 8);
  double sum = 0;
  for (const CostLine& line : cost.lines) {
    CAPTURE(line.phase, line.work);
    CHECK_FALSE(line.bound.empty());
    CHECK(line.seconds > 0);
    sum += line.seconds;
  }
  CHECK(std::abs(sum - cost.load_seconds - cost.run_seconds) < 1e-9 * sum);
}

TEST_CASE("This machine's processor is a card too", "[unit]") {
  const Cost cost = cost_of("tiny", "cpu", Quantization::None, 3);
  CHECK(cost.run_seconds > 0);
  CHECK(cost.memory_bytes > 1e9);
}

TEST_CASE("A model that is neither a file nor a shape is refused", "[unit]") {
  CHECK_THROWS_AS(cost_of("llama-3.1-9b", "h200"), ConfigError);
}

TEST_CASE("Processes that compute a model together hold their shares of it", "[model]") {
  // 405,853,388,800 numbers, of which norms, 4,145,152, are in every process.
  const auto eight = share_sizes("llama-3.1-405b", DType::BFloat16, Quantization::None, 8);
  REQUIRE(eight.size() == 8);
  std::size_t sum = 0;
  for (const ShareSizes& share : eight) sum += share.weight_bytes;
  CHECK(sum == 2 * (405'853'388'800U + 7 * 4'145'152U));
  CHECK(eight[0].n_heads == 16);
  CHECK(eight[0].n_key_heads == 1);
  CHECK(eight[0].cache_bytes_per_token == 2 * 2 * 126 * 128);
  // Two processes have each head of keys: its weights and its keys are there twice.
  const auto sixteen = share_sizes("llama-3.1-405b", DType::BFloat16, Quantization::None, 16);
  CHECK(sixteen[0].cache_bytes_per_token == eight[0].cache_bytes_per_token);
  CHECK(sixteen[0].weight_bytes > eight[0].weight_bytes / 2);
  CHECK(sixteen[0].weight_bytes < eight[0].weight_bytes * 51 / 100);
  const auto packed = share_sizes("llama-3.1-405b", DType::BFloat16, Quantization::Nf4, 8);
  CHECK(packed[0].weight_bytes < eight[0].weight_bytes * 30 / 100);
  CHECK_THROWS_AS(share_sizes("llama-3.1-405b", DType::BFloat16, Quantization::None, 7 * 3),
                  ConfigError);
}

}  // namespace labelprobe::model
