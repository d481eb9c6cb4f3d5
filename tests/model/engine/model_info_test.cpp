#include "labelprobe/model/open.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::model {

TEST_CASE("Inspecting a model tells its sizes without loading it", "[unit]") {
  const ModelInfo f32 = inspect(support::fixture("model/gguf/llama.gguf"),
                                {.dtype = DType::Float32, .weights = WeightForm::Unpacked});
  CHECK(f32.architecture == "LlamaForCausalLM");
  CHECK(f32.vocab_size == 24);
  CHECK(f32.max_context == 96);
  // 2 * 24 * 32 + 32 + 2 * (2 * 32 + 2 * 32 * 32 + 2 * 16 * 32 + 3 * 32 * 32)
  CHECK(f32.n_parameters == 13984);
  CHECK(f32.weight_bytes == 4 * 13984);
  CHECK(f32.cache_bytes_per_token == 2 * 2 * 2 * 8 * 4);
  CHECK(f32.end_ids == std::vector<TokenId>{5});
  CHECK(f32.dtype == DType::Float32);
  const ModelInfo bf16 =
      inspect(support::fixture("model/gguf/llama.gguf"), {.dtype = DType::BFloat16});
  CHECK(bf16.weight_bytes == 2 * 13984);
  CHECK(bf16.cache_bytes_per_token == 2 * 2 * 2 * 8 * 2);
  CHECK(bf16.fingerprint == f32.fingerprint);
  const ModelInfo packed = inspect(support::fixture("model/gguf/llama.gguf"),
                                   {.device = "cpu", .weights = WeightForm::Packed});
  CHECK(packed.quantization == Quantization::Gguf);
  CHECK(packed.weight_bytes < f32.weight_bytes);
  CHECK_THROWS_WITH(inspect(support::fixture("model/gguf/llama.gguf"),
                            {.device = "cuda:0", .weights = WeightForm::Packed}),
                    ContainsSubstring("only a CPU multiplies with them so far"));
  CHECK_THROWS_WITH(inspect("no/such.gguf", {.dtype = DType::Float32}),
                    ContainsSubstring("no/such.gguf"));
}

}  // namespace labelprobe::model
