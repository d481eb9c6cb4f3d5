// What only a GPU can show: our kernels against plain operators, the engine against the CPU's,
// equal bytes of equal runs, and little memory. Skips itself aloud without one, or fails where
// LABELPROBE_EXPECT_GPU is 1; that the module's operators are those the program calls is checked
// wherever the module can be loaded.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>

#include "labelprobe/core/error.h"
#include "labelprobe/model/open.h"

#include "model/attention/segment_attention.h"
#include "model/engine/step_reader.h"
#include "model/products/gated_silu.h"
#include "model/products/rms_norm.h"
#include "model/products/rotate_heads.h"
#include "support/catch.h"
#include "support/generate.h"
#include "support/paths.h"
#include "support/tensors.h"
#include "support/tolerance.h"
#include "weights/checkpoint/staging.h"
#include "weights/device/cuda_operators.h"
#include "weights/device/device.h"
#include "weights/device/dtype.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {
namespace {

// Says why a test is skipped, or fails it.
void skip_or_fail(const std::string& reason) {
  const char* expects = std::getenv("LABELPROBE_EXPECT_GPU");
  if (expects && std::string(expects) == "1") FAIL(reason);
  std::cerr << "SKIPPED: " << reason << std::endl;
}

// The first GPU; nothing, with a word why, where there is none.
std::optional<c10::Device> find_gpu() {
  try {
    return weights::open_device("cuda:0");
  } catch (const ConfigError& error) {
    skip_or_fail(error.what());
    return {};
  }
}

// A pack of a tree with ancestors of many and few keys, and decoding rows.
std::vector<KeySegment> tree_segments() {
  return {{1000, 700, 0, 120, Mask::None, 0},    {3, 300, 0, 70, Mask::None, 700},
          {310, 9, 70, 120, Mask::None, 700},    {400, 50, 0, 50, Mask::Causal, 1000},
          {450, 20, 50, 70, Mask::Causal, 1000}, {470, 50, 70, 120, Mask::Causal, 709},
          {520, 1, 120, 121, Mask::Causal, 0},   {0, 257, 121, 122, Mask::None, 0},
          {600, 1, 121, 122, Mask::Causal, 257}};
}

GenerateOptions greedy(int n_steps) {
  GenerateOptions options;
  options.stop.max_new_tokens = n_steps;
  options.keep_logits = true;
  options.n_top_tokens = 3;
  options.watched = {1, 5};
  return options;
}

// Options with which steps run ahead: nothing that the host must know first.
GenerateOptions ahead(int n_steps) {
  GenerateOptions options = greedy(n_steps);
  options.keep_logits = false;
  return options;
}

std::vector<TokenIds> random_prompts(int n, unsigned seed) {
  std::mt19937 random(seed);
  TokenIds stem(40);
  for (TokenId& id : stem) id = static_cast<TokenId>(random() % 128);
  std::vector<TokenIds> prompts;
  for (int i = 0; i < n; ++i) {
    TokenIds prompt(stem.begin(), stem.begin() + 10 + i % 31);
    for (int t = 0; t < 1 + i % 7; ++t) prompt.push_back(static_cast<TokenId>(random() % 128));
    prompts.push_back(prompt);
  }
  return prompts;
}

// Takes nearly all memory there is: of what is free some is in pieces.
at::Tensor fill_memory(const c10::Device& gpu) {
  constexpr std::int64_t kStep = std::int64_t{64} << 20;
  const auto options = at::TensorOptions().dtype(at::kByte).device(gpu);
  for (auto n = static_cast<std::int64_t>(weights::free_bytes(gpu)) - kStep; n > 0; n -= kStep) {
    try {
      return at::empty({n}, options);
    } catch (const c10::OutOfMemoryError&) {
      continue;
    }
  }
  FAIL("no memory is free");
  return {};
}

bool are_equal(const Generation& a, const Generation& b) {
  if (a.token_ids != b.token_ids || a.steps.size() != b.steps.size() ||
      a.logits.size() != b.logits.size() ||
      std::memcmp(a.logits.data(), b.logits.data(), a.logits.size() * sizeof(float)) != 0) {
    return false;
  }
  for (std::size_t t = 0; t < a.steps.size(); ++t) {
    if (a.steps[t].log_sum_exp != b.steps[t].log_sum_exp ||
        a.steps[t].watched_logits != b.steps[t].watched_logits) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("The module's operators are those the program calls", "[module]") {
  if (!::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) {
    return skip_or_fail(std::string("libtorch's CUDA half cannot be loaded: ") + ::dlerror());
  }
  const std::string reason = weights::load_cuda_operators();
  if (reason.find("is not there") != std::string::npos) return skip_or_fail(reason);
  CHECK(reason == "");
  CHECK(weights::cuda_operators() != nullptr);
}

TEST_CASE("Attention on the GPU agrees with plain operators", "[gpu]") {
  const auto gpu = find_gpu();
  if (!gpu) return;
  const c10::InferenceMode no_gradients;
  at::manual_seed(1);
  for (const DType dtype : {DType::Float32, DType::BFloat16, DType::Float16}) {
    const at::ScalarType type = weights::scalar_type(dtype);
    // A score is a sum over a head, a result one over up to 1,010 keys.
    const double allowed = support::rounding_share(dtype, 1, 256 + 1010);
    for (const auto& [n_heads, n_groups, n_dim] : std::vector<std::array<std::int64_t, 3>>{
             {8, 4, 128}, {3, 3, 64}, {2, 1, 40}, {1, 8, 256}}) {
      CAPTURE(type, n_heads, n_groups, n_dim);
      const at::Tensor queries = at::randn({122, n_heads, n_groups, n_dim}).to(type);
      const at::Tensor keys = at::randn({1700, n_heads, n_dim}).to(type);
      const at::Tensor values = at::randn({1700, n_heads, n_dim}).to(type);
      const std::vector<KeySegment> segments = tree_segments();
      const at::Tensor expected = attend_plainly(queries.to(at::kFloat), keys.to(at::kFloat),
                                                 values.to(at::kFloat), segments);
      const SegmentAttention attention(122, segments, *gpu);
      const auto attend = [&] {
        return attention.attend(queries.to(*gpu), keys.to(*gpu), values.to(*gpu));
      };
      const at::Tensor found = attend();
      CHECK(found.scalar_type() == type);
      CHECK(support::distance(found, expected) < allowed);
      CHECK(at::equal(found, attend()));
    }
  }
}

TEST_CASE("The steps between products agree with the CPU's", "[gpu]") {
  const auto gpu = find_gpu();
  if (!gpu) return;
  const c10::InferenceMode no_gradients;
  at::manual_seed(2);
  for (const DType dtype : {DType::Float32, DType::BFloat16, DType::Float16}) {
    const at::ScalarType type = weights::scalar_type(dtype);
    CAPTURE(type);
    const at::Tensor x = at::randn({37, 4096}).to(type);
    const at::Tensor weight = at::randn({4096});
    CHECK(support::distance(rms_norm(x.to(*gpu), weight.to(*gpu), 1e-5),
                            rms_norm(x.to(at::kFloat), weight, 1e-5)) <
          support::rounding_share(dtype, 3, 4096));
    CHECK(support::distance(gated_silu(x.to(*gpu)), gated_silu(x.to(at::kFloat))) <
          support::rounding_share(dtype, 2, 1));
    const at::Tensor heads = x.view({37, 32, 128});
    const at::Tensor angles = at::randn({37, 64});
    const at::Tensor on_gpu = heads.to(*gpu).clone();
    rotate_heads(on_gpu.narrow(1, 0, 24), angles.cos().to(*gpu), angles.sin().to(*gpu));
    const at::Tensor on_cpu = heads.to(at::kFloat).clone();
    rotate_heads(on_cpu.narrow(1, 0, 24), angles.cos(), angles.sin());
    CHECK(support::distance(on_gpu, on_cpu) < support::rounding_share(dtype, 1, 2));
  }
}

TEST_CASE("Dequantised weights have the CPU's bits", "[gpu]") {
  const auto gpu = find_gpu();
  if (!gpu) return;
  const c10::InferenceMode no_gradients;
  at::manual_seed(3);
  const at::Tensor weight = at::randn({96, 1000});
  for (const Quantization quantization :
       {Quantization::Fp4, Quantization::Nf4, Quantization::Nf4Double, Quantization::Int8}) {
    const weights::QuantizedWeight on_cpu = weights::quantize(weight, quantization);
    weights::Staging staging(*gpu);
    const weights::QuantizedWeight on_gpu = weights::to_device(on_cpu, staging);
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      CAPTURE(weights::quantization_name(quantization), type);
      at::Tensor expected = at::empty({96, 1000}, type);
      at::Tensor found = at::empty({96, 1000}, expected.options().device(*gpu));
      at::Tensor plain = at::empty_like(found);
      weights::dequantize(on_cpu, expected);
      weights::dequantize(on_gpu, found);
      weights::dequantize_with_operators(on_gpu, plain);
      CHECK(at::equal(found.cpu(), expected));
      CHECK(at::equal(plain.cpu(), expected));
    }
  }
}

TEST_CASE("A step is read on the GPU as on the CPU", "[gpu]") {
  const auto gpu = find_gpu();
  if (!gpu) return;
  const c10::InferenceMode no_gradients;
  at::manual_seed(4);
  at::Tensor logits = at::randn({9, 32003}).mul_(4);
  logits[3].fill_(-1.0);
  logits[5][7].fill_(NAN);
  const TokenIds watched = {32002, 0, 77};
  const auto expected = read_step(logits, watched, 5);
  const auto found = read_step(logits.to(*gpu), watched, 5);
  for (std::size_t b = 0; b < expected.size(); ++b) {
    CAPTURE(b);
    REQUIRE(found[b].has_nan == expected[b].has_nan);
    if (expected[b].has_nan) continue;
    CHECK(found[b].best == expected[b].best);
    CHECK(found[b].step.watched_logits == expected[b].step.watched_logits);
    CHECK(std::abs(found[b].step.log_sum_exp - expected[b].step.log_sum_exp) < 1e-4);
    for (int i = 0; i < 5; ++i) {
      CHECK(found[b].step.top_tokens[i].id == expected[b].step.top_tokens[i].id);
      CHECK(found[b].step.top_tokens[i].logit == expected[b].step.top_tokens[i].logit);
    }
  }
}

TEST_CASE("Answers of the GPU are the CPU's, and equal runs give equal bytes", "[gpu]") {
  if (!find_gpu()) return;
  const auto prompts = random_prompts(40, 5);
  for (const std::string name : {"llama_gqa_llama3_rope", "llama_mha", "llama_head_dim"}) {
    for (const DType dtype : {DType::Float32, DType::BFloat16, DType::Float16}) {
      CAPTURE(name, weights::dtype_name(dtype));
      const auto path = support::fixture("model/" + name);
      const auto tolerance = support::tolerance_for("cuda", dtype);
      auto on_cpu = open(path, {.dtype = DType::Float32, .device = "cpu", .n_threads = 2});
      auto on_gpu = open(path, {.dtype = dtype, .device = "cuda:0"});
      // One step: later ones may follow another token where two are nearly as likely.
      const int n_steps = dtype == DType::Float32 ? 6 : 1;
      const auto expected = support::generate_all(*on_cpu, prompts, greedy(n_steps));
      const auto found = support::generate_all(*on_gpu, prompts, greedy(n_steps));
      const auto again = support::generate_all(*on_gpu, prompts, greedy(n_steps));
      std::vector<at::Tensor> all_found;
      std::vector<at::Tensor> all_expected;
      for (std::size_t i = 0; i < prompts.size(); ++i) {
        CAPTURE(i);
        CHECK(support::differences(found[i].logits, expected[i].logits, tolerance.logit) == "");
        CHECK(are_equal(found[i], again[i]));
        all_found.push_back(at::tensor(found[i].logits));
        all_expected.push_back(at::tensor(expected[i].logits));
      }
      CHECK(support::distance(at::cat(all_found), at::cat(all_expected)) < tolerance.share);
    }
  }
}

TEST_CASE("Quantised weights give the CPU's answers on the GPU", "[gpu]") {
  if (!find_gpu()) return;
  const auto prompts = random_prompts(20, 6);
  const auto path = support::fixture("model/llama_gqa_llama3_rope");
  for (const Quantization quantization :
       {Quantization::Fp4, Quantization::Nf4, Quantization::Nf4Double}) {
    CAPTURE(weights::quantization_name(quantization));
    auto on_cpu = open(path, {.device = "cpu", .n_threads = 2, .quantization = quantization});
    auto on_gpu = open(path, {.device = "cuda:0", .quantization = quantization});
    const auto expected = support::generate_all(*on_cpu, prompts, greedy(3));
    const auto found = support::generate_all(*on_gpu, prompts, greedy(3));
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      CHECK(support::differences(found[i].logits, expected[i].logits,
                                 support::tolerance_for("cuda", DType::Float32).logit) == "");
    }
  }
}

TEST_CASE("Weights in 8 bits give the CPU's answers on the GPU, and equal runs equal bytes",
          "[gpu]") {
  if (!find_gpu()) return;
  const auto prompts = random_prompts(20, 8);
  const auto path = support::fixture("model/llama_gqa_llama3_rope");
  for (const DType dtype : {DType::Float32, DType::BFloat16}) {
    CAPTURE(weights::dtype_name(dtype));
    const OpenOptions options = {
        .dtype = dtype, .device = "cuda:0", .quantization = Quantization::Int8};
    auto on_cpu = open(path, {.device = "cpu", .n_threads = 2, .quantization = Quantization::Int8});
    auto on_gpu = open(path, options);
    const auto expected = support::generate_all(*on_cpu, prompts, greedy(1));
    const auto found = support::generate_all(*on_gpu, prompts, greedy(1));
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      // An activation that is rounded to the next of 127 codes moves all logits a little;
      // bfloat16's 8 bits, rounded at other places than on the CPU, move more of them.
      const at::Tensor exact = at::tensor(expected[i].logits);
      CHECK(support::distance(at::tensor(found[i].logits), exact) <
            (dtype == DType::Float32 ? 0.05 : 0.25));
    }
    const auto first = support::generate_all(*on_gpu, prompts, ahead(9));
    const auto second = support::generate_all(*on_gpu, prompts, ahead(9));
    for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(are_equal(first[i], second[i]));
  }
}

TEST_CASE("A recorded step runs whenever it is replayed", "[gpu]") {
  const auto gpu = find_gpu();
  if (!gpu) return;
  const auto graph = weights::make_step_graph();
  if (!graph) return skip_or_fail("there is no module, or LABELPROBE_CUDA_GRAPHS is 0");
  const c10::InferenceMode no_gradients;
  const c10::DeviceGuard on_device(*gpu);
  const c10::StreamGuard on_stream(weights::open_stream(*gpu));
  const at::Tensor x = at::zeros({1000}, at::TensorOptions().device(*gpu));
  at::Tensor result;
  for (const float addend : {1.0F, 10.0F}) {
    x.zero_();
    REQUIRE(graph->record([&] {
      x.add_(addend);
      result = x * 2;
    }));
    CHECK(x[7].item<float>() == 0);
    for (int i = 1; i <= 3; ++i) {
      graph->replay();
      CHECK(result[999].item<float>() == 2 * addend * static_cast<float>(i));
    }
  }
  // The host must not wait while a step is recorded; afterwards all is as it was.
  CHECK_FALSE(graph->record([&] { static_cast<void>(x[0].item<float>()); }));
  CHECK_FALSE(graph->record([&] { x.add_(1); }));
  CHECK(x[7].item<float>() == 30);
}

TEST_CASE("Recorded steps give the bytes of steps queued kernel by kernel", "[gpu]") {
  if (!find_gpu()) return;
  const auto prompts = random_prompts(60, 9);
  const auto answers = [&](const DType dtype, const Quantization quantization) {
    auto model = open(support::fixture("model/llama_gqa_llama3_rope"),
                      {.dtype = dtype, .device = "cuda:0", .quantization = quantization});
    return support::generate_all(*model, prompts, ahead(14));
  };
  for (const DType dtype : {DType::Float32, DType::BFloat16, DType::Float16}) {
    for (const Quantization quantization : {Quantization::None, Quantization::Fp4}) {
      CAPTURE(weights::dtype_name(dtype), weights::quantization_name(quantization));
      const auto recorded = answers(dtype, quantization);
      ::setenv("LABELPROBE_CUDA_GRAPHS", "0", 1);
      const auto queued = answers(dtype, quantization);
      ::unsetenv("LABELPROBE_CUDA_GRAPHS");
      for (std::size_t i = 0; i < prompts.size(); ++i) {
        CAPTURE(i);
        CHECK(are_equal(recorded[i], queued[i]));
      }
    }
  }
}

TEST_CASE("Steps that run ahead follow the CPU's, also when memory runs out on the way", "[gpu]") {
  if (!find_gpu()) return;
  const auto prompts = random_prompts(60, 10);
  const auto path = support::fixture("model/llama_mha");
  auto on_cpu = open(path, {.device = "cpu", .n_threads = 2});
  auto on_gpu = open(path, {.device = "cuda:0"});
  GenerateOptions options = ahead(12);
  int n_before_failure = GENERATE(-1, 100, 500);
  const bool fails = n_before_failure > 0;
  const auto expected = support::generate_all(*on_cpu, prompts, options);
  options.stop.is_complete = [&](std::span<const TokenId>) {
    if (n_before_failure-- == 0)
      throw c10::OutOfMemoryError(c10::SourceLocation{}, "as if memory had run out");
    return false;
  };
  const auto found = support::generate_all(*on_gpu, prompts, options);
  CHECK((on_gpu->effort().n_batches_halved > 0) == fails);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i].token_ids == expected[i].token_ids);
    REQUIRE(found[i].steps.size() == expected[i].steps.size());
    for (std::size_t t = 0; t < found[i].steps.size(); ++t) {
      CHECK(support::differences(found[i].steps[t].watched_logits,
                                 expected[i].steps[t].watched_logits,
                                 support::tolerance_for("cuda", DType::Float32).logit) == "");
    }
  }
}

TEST_CASE("Little free memory changes no answer", "[gpu]") {
  const auto gpu = find_gpu();
  if (!gpu) return;
  const auto prompts = random_prompts(60, 7);
  auto on_gpu = open(support::fixture("model/llama_mha"), {.device = "cuda:0"});
  const auto expected = support::generate_all(*on_gpu, prompts, greedy(3));
  auto crowded = open(support::fixture("model/llama_mha"), {.device = "cuda:0"});
  const c10::DeviceGuard on_device(*gpu);
  const at::Tensor filler = fill_memory(*gpu);
  const auto found = support::generate_all(*crowded, prompts, greedy(3));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    CHECK(support::differences(found[i].logits, expected[i].logits, 1e-4) == "");
  }
}

}  // namespace labelprobe::model
