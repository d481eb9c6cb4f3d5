#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <numeric>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/model/open.h"
#include "labelprobe/weights/making.h"

#include "support/catch.h"
#include "support/generate.h"
#include "support/program.h"
#include "support/tolerance.h"
#include "weights/checkpoint/load_config.h"
#include "weights/families/parameters.h"
#include "weights/making/model_shapes.h"
#include "weights/making/normal_numbers.h"

namespace labelprobe::model {
namespace {

std::vector<float> first_numbers(std::uint64_t key, std::size_t n) {
  std::vector<float> numbers(n);
  weights::NormalNumbers(DType::Float32, 1.0)
      .fill(key, 0, std::as_writable_bytes(std::span(numbers)));
  return numbers;
}

double mean_of_products(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / static_cast<double>(a.size());
}

weights::RandomCheckpointOptions small(const std::filesystem::path& folder) {
  weights::RandomCheckpointOptions options;
  options.shape = "smollm2-135m";
  options.n_layers = 1;
  options.folder = folder;
  return options;
}

// Returns the bytes that were announced; progress must grow up to them.
std::int64_t write_with_progress(weights::RandomCheckpointOptions options) {
  std::int64_t n_written = 0;
  std::int64_t n_total = -1;
  options.on_progress = [&](std::int64_t n, std::int64_t total) {
    CHECK(n > n_written);
    n_written = n;
    n_total = total;
  };
  weights::write_random_checkpoint(options);
  CHECK(n_written == n_total);
  return n_total;
}

}  // namespace

TEST_CASE("Every shape has the published number of parameters", "[unit]") {
  const support::TempFolder folder;
  for (const weights::ModelShape& shape : weights::model_shapes()) {
    INFO(shape.name);
    support::write_file(folder.path() / "config.json",
                        weights::config_of(shape.name, 0, DType::BFloat16));
    const weights::DecoderConfig config = weights::load_config(folder.path());
    std::int64_t n = 0;
    for (const weights::Parameter& parameter : weights::parameters_of(config)) {
      n += parameter.n_elements();
    }
    CHECK(n == shape.n_parameters);
    const std::vector<weights::Parameter> read = weights::parameters_of(config);
    const std::vector<weights::Parameter> planned =
        weights::parameters_of(weights::decoder_config_of(shape.name, 0));
    CHECK(std::equal(read.begin(), read.end(), planned.begin(), planned.end(),
                     [](const weights::Parameter& a, const weights::Parameter& b) {
                       return a.name == b.name && a.shape == b.shape;
                     }));
    CHECK(config.n_layers == shape.n_layers);
    CHECK(config.vocab_size == shape.vocab_size);
  }
}

TEST_CASE("Numbers are normal, independent and the same from wherever they are begun", "[unit]") {
  constexpr std::size_t kN = 1 << 18;
  const std::vector<float> numbers = first_numbers(1, kN);
  const std::span<const float> all(numbers);
  CHECK(std::abs(std::accumulate(all.begin(), all.end(), 0.0) / kN) < 0.01);
  CHECK(std::abs(mean_of_products(all, all) - 1.0) < 0.01);
  const auto n_beyond = std::count_if(all.begin(), all.end(), [](float x) { return x > 1.959964; });
  CHECK(std::abs(static_cast<double>(n_beyond) / kN - 0.025) < 0.0015);
  for (const std::size_t lag : {1U, 2U, 4U, 64U}) {
    INFO("lag " << lag);
    CHECK(std::abs(mean_of_products(all.subspan(lag), all.first(kN - lag))) < 0.01);
  }
  CHECK(std::abs(mean_of_products(all, first_numbers(2, kN))) < 0.01);

  std::vector<float> later(10);
  weights::NormalNumbers(DType::Float32, 1.0)
      .fill(1, 400, std::as_writable_bytes(std::span(later)));
  CHECK(std::equal(later.begin(), later.end(), numbers.begin() + 400));
}

TEST_CASE("transformers computes the same from a random checkpoint", "[golden]") {
  const auto expected =
      nlohmann::json::parse(support::read_file(support::fixture("model/random_checkpoint.json")));
  const support::TempFolder folder;
  weights::RandomCheckpointOptions options;
  options.shape = "smollm2-135m";
  options.n_layers = 1;
  options.folder = folder.path() / "model";
  const std::int64_t n_total = write_with_progress(options);
  CHECK(n_total == 2 * expected["n_parameters"].get<std::int64_t>());

  const auto language_model =
      open(options.folder, {.dtype = DType::Float32, .device = "cpu", .n_threads = 1});
  CHECK(language_model->info().n_parameters == expected["n_parameters"].get<std::int64_t>());
  CHECK(language_model->info().end_ids == std::vector<TokenId>{0});
  GenerateOptions generating;
  generating.keep_logits = true;
  const std::vector<TokenIds> prompts = {expected["prompt_ids"].get<TokenIds>()};
  const auto answers = support::generate_all(*language_model, prompts, generating);
  CHECK(answers[0].token_ids == TokenIds{expected["greedy_id"].get<TokenId>()});
  std::vector<float> sampled;
  for (std::size_t id = 0; id < answers[0].logits.size();
       id += expected["every"].get<std::size_t>()) {
    sampled.push_back(answers[0].logits[id]);
  }
  CHECK(support::differences(sampled, expected["logits"].get<std::vector<float>>(),
                             support::tolerance_for("cpu", DType::Float32).logit) == "");

  CHECK_THROWS_WITH(weights::write_random_checkpoint(options),
                    ContainsSubstring("is there already"));
  options.folder = folder.path() / "other";
  options.shape = "smollm2-135";
  CHECK_THROWS_WITH(weights::write_random_checkpoint(options), ContainsSubstring("did you mean"));
  options.shape = "llama-3.1-70b";
  options.n_layers = 81;
  CHECK_THROWS_AS(weights::write_random_checkpoint(options), ConfigError);
  CHECK(!std::filesystem::exists(options.folder));
}

// Packed copies are checked against those of transformers.
TEST_CASE("Written quantised it is the packed copy of the unquantised model", "[unit]") {
  const auto [quantization, dtype] =
      GENERATE(table<Quantization, DType>({{Quantization::Fp4, DType::BFloat16},
                                           {Quantization::Nf4, DType::Float16},
                                           {Quantization::Nf4Double, DType::BFloat16},
                                           {Quantization::Int8, DType::Float32}}));
  INFO(weights::quantization_name(quantization));
  const support::TempFolder folder;
  weights::RandomCheckpointOptions options = small(folder.path() / "plain");
  options.dtype = dtype;
  weights::write_random_checkpoint(options);
  weights::save_quantized(options.folder, dtype, quantization, folder.path() / "copy");

  options.folder = folder.path() / "direct";
  options.quantization = quantization;
  write_with_progress(options);
  std::size_t n_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "copy")) {
    INFO(entry.path());
    ++n_files;
    // No expansion: a failure would print megabytes.
    const bool is_equal = support::read_file(entry.path()) ==
                          support::read_file(options.folder / entry.path().filename());
    CHECK(is_equal);
  }
  using Files = std::filesystem::directory_iterator;
  CHECK(std::distance(Files(options.folder), Files()) == static_cast<std::ptrdiff_t>(n_files));

  const weights::RandomCheckpointPlan plan = weights::plan_random_checkpoint(options);
  CHECK(plan.disk_bytes == std::filesystem::file_size(options.folder / "model.safetensors"));
  const ModelInfo info = inspect(options.folder, {.dtype = dtype});
  CHECK(info.quantization == quantization);
  CHECK(plan.cache_bytes_per_token == info.cache_bytes_per_token);
  CHECK(plan.max_context == info.max_context);
  std::size_t weight_bytes = 0;
  for (const weights::WeightPart& part : plan.parts) weight_bytes += part.bytes;
  CHECK(weight_bytes == info.weight_bytes);
}

// By hand from the sizes that its config.json says: 80 layers, hidden 8192, MLP 28672, 64 heads of
// which 8 with keys and values, 128256 tokens.
TEST_CASE("A 70B model in 4 bits takes 43 GB", "[unit]") {
  weights::RandomCheckpointOptions options;
  options.shape = "llama-3.1-70b";
  options.quantization = Quantization::Fp4;
  const weights::RandomCheckpointPlan plan = weights::plan_random_checkpoint(options);
  REQUIRE(plan.parts.size() == 5);
  const std::int64_t n_attention = 80LL * (2 * 8192 * 8192 + 2 * 1024 * 8192);
  const std::int64_t n_mlp = 80LL * 3 * 8192 * 28672;
  const std::int64_t n_embedding = 128256LL * 8192;
  const std::int64_t n_norms = (2 * 80 + 1) * 8192LL;
  const std::vector<std::int64_t> n_numbers = {n_embedding, n_attention, n_mlp, n_norms,
                                               n_embedding};
  for (std::size_t i = 0; i < plan.parts.size(); ++i) {
    const weights::WeightPart& part = plan.parts[i];
    INFO(part.name);
    CHECK(part.n_numbers == n_numbers[i]);
    CHECK(part.unquantized_bytes == static_cast<std::size_t>(2 * n_numbers[i]));
    const bool is_linear = part.n_numbers == n_attention || part.n_numbers == n_mlp;
    // Half a byte each, and four for every 64 of them.
    CHECK(part.bytes ==
          static_cast<std::size_t>(is_linear ? n_numbers[i] / 16 * 9 : n_numbers[i] * 2));
  }
  CHECK(plan.cache_bytes_per_token == 2 * 80 * 1024 * 2);
}

TEST_CASE("Says what a model needs that the disk has no room for", "[unit]") {
  const support::TempFolder folder;
  weights::RandomCheckpointOptions options;
  options.shape = "llama-3.1-70b";
  options.dtype = DType::Float32;
  options.folder = folder.path() / "model";
  const weights::RandomCheckpointPlan plan = weights::plan_random_checkpoint(options);
  if (std::filesystem::space(folder.path()).available >= plan.disk_bytes) {
    SKIP_ALOUD("the disk has room for 282 GB");
  }
  CHECK_THROWS_WITH(weights::write_random_checkpoint(options),
                    ContainsSubstring("expected 282.21 GB (" + std::to_string(plan.disk_bytes) +
                                      " bytes) of free disk space, found "));
  CHECK(std::filesystem::is_empty(folder.path()));
}

}  // namespace labelprobe::model
