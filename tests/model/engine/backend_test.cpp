// What the log says of who computes. That it is so can be seen with ONEDNN_VERBOSE=1.
#include "model/engine/backend.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include <ATen/Context.h>

#include "model/products/int8_product.h"
#include "support/catch.h"

namespace labelprobe::model {
namespace {

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  INFO(part);
  return text.find(part) != std::string::npos;
}

weights::DecoderConfig small_decoder() {
  weights::DecoderConfig config;
  config.n_heads = 4;
  config.n_kv_heads = 2;
  config.head_dim = 16;
  return config;
}

std::string backend_on_cpu(DType dtype, Quantization quantization = Quantization::None) {
  return describe_backend(small_decoder(), dtype, quantization, c10::Device(c10::DeviceType::CPU));
}

#if defined(__x86_64__) && defined(__GNUC__)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f");
}

bool has_avx512_bf16() {
  return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

#else
bool has_avx512() {
  return false;
}

bool has_avx512_bf16() {
  return false;
}
#endif

// One of the runs of these tests forbids oneDNN the wider instructions.
bool is_onednn_wide() {
  const char* most = std::getenv("ONEDNN_MAX_CPU_ISA");
  return !most || std::string_view(most).starts_with("AVX512");
}

// Who multiplies.
std::string products_of(const std::string& type) {
  const bool is_multiplied = type == "float32" ? has_avx512() : has_avx512_bf16();
  return (is_multiplied && is_onednn_wide() ? "oneDNN " : "own code ") + type;
}

}  // namespace

TEST_CASE("The log names the code that multiplies and attends in every type", "[unit]") {
  if (!at::globalContext().hasMKLDNN()) SKIP_ALOUD("this libtorch has no oneDNN");
  CHECK(has(backend_on_cpu(DType::Float32),
            "; products: " + products_of("float32") + "; attention: "));
  CHECK(has(backend_on_cpu(DType::BFloat16),
            "; products: " + products_of("bfloat16") + "; attention: "));
  CHECK(has(backend_on_cpu(DType::Float16), "; products: own code float16; attention: own code"));
  for (const DType dtype : {DType::Float32, DType::BFloat16, DType::Float16}) {
    CHECK_FALSE(has(backend_on_cpu(dtype), "TF32"));
  }
}

TEST_CASE("The log names the processor's instructions that our code uses", "[unit]") {
  const std::string wide = backend_on_cpu(DType::Float32);
  const std::string half = backend_on_cpu(DType::BFloat16);
  // Where bfloat16 cannot be multiplied, attention is in float32.
  const std::string in_float32 =
      has_avx512() ? "attention: own code for AVX512, float32" : "attention: own code, float32";
  CHECK(has(wide, in_float32));
  CHECK(
      has(half, has_avx512_bf16() ? "attention: own code for AVX512-BF16, bfloat16" : in_float32));
  CHECK(has(wide, "other steps: own code for AVX512") == has_avx512());
}

TEST_CASE("The log names what multiplies by quantised weights", "[unit]") {
  if (!at::globalContext().hasMKLDNN()) SKIP_ALOUD("this libtorch has no oneDNN");
  const std::string few = ", those of up to 6 rows at once";
  for (const Quantization four : {Quantization::Fp4, Quantization::Nf4, Quantization::Nf4Double}) {
    const std::string wide = backend_on_cpu(DType::Float32, four);
    const std::string half = backend_on_cpu(DType::BFloat16, four);
    CHECK(has(wide, "own code from 4 bits"));
    CHECK(has(wide, "; head: " + products_of("float32") + "; "));
    CHECK(has(half, "; head: " + products_of("bfloat16")));
    CHECK(has(wide, few) == has_avx512());
    CHECK(has(half, few) == has_avx512_bf16());
    CHECK_FALSE(has(backend_on_cpu(DType::Float16, four), few));
  }
  const std::string library = multiplies_int8_exactly() ? "oneDNN" : "float32 products for";
  CHECK(has(backend_on_cpu(DType::Float32, Quantization::Int8),
            "products: " + library + " int8, outliers in float32; head: " + products_of("float32") +
                "; "));
}

}  // namespace labelprobe::model
