#include "labelprobe/model/random_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <numeric>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "decoder_config.h"
#include "model_shapes.h"
#include "normal_numbers.h"
#include "support/catch.h"
#include "support/generate.h"
#include "support/program.h"
#include "support/tolerance.h"

namespace labelprobe::model {
namespace {

std::vector<float> first_numbers(std::uint64_t key, std::size_t n) {
  std::vector<float> numbers(n);
  NormalNumbers(DType::Float32, 1.0).fill(key, 0, std::as_writable_bytes(std::span(numbers)));
  return numbers;
}

double mean_of_products(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / static_cast<double>(a.size());
}

}  // namespace

TEST_CASE("Every shape has the published number of parameters", "[unit]") {
  const support::TempFolder folder;
  for (const ModelShape& shape : model_shapes()) {
    INFO(shape.name);
    support::write_file(folder.path() / "config.json", config_of(shape.name, 0, DType::BFloat16));
    const DecoderConfig config = load_config(folder.path());
    std::int64_t n = 0;
    for (const Parameter& parameter : parameters_of(config)) {
      n += std::accumulate(parameter.shape.begin(), parameter.shape.end(), std::int64_t{1},
                           std::multiplies<>());
    }
    CHECK(n == shape.n_parameters);
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
  NormalNumbers(DType::Float32, 1.0).fill(1, 400, std::as_writable_bytes(std::span(later)));
  CHECK(std::equal(later.begin(), later.end(), numbers.begin() + 400));
}

TEST_CASE("transformers computes the same from a random checkpoint", "[golden]") {
  const auto expected =
      nlohmann::json::parse(support::read_file(support::fixture("model/random_checkpoint.json")));
  const support::TempFolder folder;
  RandomCheckpointOptions options;
  options.shape = "smollm2-135m";
  options.n_layers = 1;
  options.folder = folder.path() / "model";
  std::int64_t n_written = 0;
  std::int64_t n_total = -1;
  options.on_progress = [&](std::int64_t n, std::int64_t total) {
    CHECK(n > n_written);
    n_written = n;
    n_total = total;
  };
  write_random_checkpoint(options);
  CHECK(n_written == n_total);
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

  CHECK_THROWS_WITH(write_random_checkpoint(options), ContainsSubstring("is there already"));
  options.folder = folder.path() / "other";
  options.shape = "smollm2-135";
  CHECK_THROWS_WITH(write_random_checkpoint(options), ContainsSubstring("did you mean"));
  options.shape = "llama-3.1-70b";
  options.n_layers = 81;
  CHECK_THROWS_AS(write_random_checkpoint(options), ConfigError);
  CHECK(!std::filesystem::exists(options.folder));
}

}  // namespace labelprobe::model
