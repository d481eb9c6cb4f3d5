#include "labelprobe/training/finetune.h"

#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::training {
namespace {

namespace fs = std::filesystem;

const fs::path& base() {
  static const fs::path path = support::fixture("model/llama_gqa_llama3_rope");
  return path;
}

FinetuneData small_data() {
  FinetuneData data;
  for (int i = 0; i < 12; ++i) {
    TrainingItem item{"item" + std::to_string(i), {}};
    for (int t = 0; t < 5 + i % 4; ++t) item.tokens.push_back(1 + (7 * i + 3 * t) % 100);
    (i < 9 ? data.train : data.validation).push_back(item);
  }
  return data;
}

FinetuneSettings small_settings() {
  FinetuneSettings settings;
  settings.lora.r = 4;
  settings.dtype = weights::DType::Float32;
  settings.n_threads = 1;
  settings.block_tokens = 8;
  settings.batch_size = 2;
  settings.learning_rate = 0.01;
  settings.schedule = Schedule::Cosine;
  settings.n_epochs = 4;
  settings.save_every = 2;
  settings.evaluate_every = 3;
  return settings;
}

FinetuneOutcome train(
    const fs::path& folder,
    const FinetuneSettings& settings,
    const std::function<void(const FinetuneProgress&)>& on_progress = [](const auto&) {}) {
  return finetune(base(), "tiny", small_data(), settings, folder, on_progress);
}

struct Killed {};

}  // namespace

TEST_CASE("A training that was killed goes on to the same bits", "[unit]") {
  const support::TempFolder folder;
  const FinetuneSettings settings = small_settings();
  const FinetuneOutcome whole = train(folder.path() / "whole", settings);
  CHECK(whole.first_step == 0);
  const auto stop_at = [](std::int64_t step) {
    return [step](const FinetuneProgress& progress) {
      if (progress.step == step) throw Killed();
    };
  };
  const fs::path parts = folder.path() / "parts";
  CHECK_THROWS_AS(train(parts, settings, stop_at(3)), Killed);
  CHECK(fs::exists(parts / "checkpoint-2"));
  CHECK_FALSE(fs::exists(parts / "adapter_model.safetensors"));
  CHECK_THROWS_AS(train(parts, settings, stop_at(6)), Killed);
  CHECK(train(parts, settings).first_step == 6);
  CHECK(support::read_file(parts / "adapter_model.safetensors") ==
        support::read_file(folder.path() / "whole" / "adapter_model.safetensors"));
  // Two checkpoints are kept, whole.
  CHECK_FALSE(fs::exists(parts / "checkpoint-2"));
  CHECK(fs::exists(parts / "checkpoint-8" / "optimizer.safetensors"));
}

TEST_CASE("A finished training is left as it is, and another is not mixed with it", "[unit]") {
  const support::TempFolder folder;
  FinetuneSettings settings = small_settings();
  settings.max_steps = 2;
  int n_steps = 0;
  const auto count = [&](const FinetuneProgress&) { ++n_steps; };
  train(folder.path(), settings, count);
  CHECK(train(folder.path(), settings, count).first_step == 2);
  CHECK(n_steps == 2);
  settings.learning_rate = 0.02;
  CHECK_THROWS_WITH(train(folder.path(), settings),
                    ContainsSubstring("the folder holds another training") &&
                        ContainsSubstring("lr 0.02") && ContainsSubstring("lr 0.01"));
}

TEST_CASE("The loss falls, and its curve is kept", "[unit]") {
  const support::TempFolder folder;
  FinetuneSettings settings = small_settings();
  settings.n_epochs = 12;
  settings.lora.dropout = 0.0;
  std::vector<FinetuneProgress> all;
  const FinetuneOutcome outcome =
      train(folder.path(), settings, [&](const FinetuneProgress& one) { all.push_back(one); });
  REQUIRE(static_cast<std::int64_t>(all.size()) == outcome.n_steps);
  CHECK(all.back().loss < all.front().loss - 0.5);
  CHECK(all[2].validation_loss.has_value());
  CHECK_FALSE(all[1].validation_loss.has_value());
  CHECK(all.back().seconds_left == 0.0);
  const std::string curve = support::read_file(folder.path() / "curve.csv");
  CHECK(std::count(curve.begin(), curve.end(), '\n') == outcome.n_steps + 1);
  CHECK_THAT(support::read_file(folder.path() / "curve.svg"), ContainsSubstring("nats per token"));
}

TEST_CASE("A loss that is no number stops the training, names the items and keeps the checkpoint",
          "[unit]") {
  const support::TempFolder folder;
  FinetuneSettings settings = small_settings();
  settings.schedule = Schedule::Constant;
  settings.learning_rate = 1e37;
  settings.lora.target_modules = {"gate_proj", "up_proj"};
  settings.save_every = 1;
  CHECK_THROWS_WITH(train(folder.path(), settings),
                    ContainsSubstring("step 2: expected a finite loss") &&
                        ContainsSubstring("the items of the batch: item"));
  CHECK(fs::exists(folder.path() / "checkpoint-1" / "adapter_model.safetensors"));
}

TEST_CASE("Settings, items and models that do not fit are refused", "[unit]") {
  const support::TempFolder folder;
  FinetuneSettings settings = small_settings();
  settings.dtype = weights::DType::Float16;
  CHECK_THROWS_WITH(train(folder.path(), settings),
                    ContainsSubstring("model_dtype: expected float32 or bfloat16"));
  settings = small_settings();
  settings.block_tokens = 120;
  CHECK_THROWS_WITH(plan_finetune(base(), small_data(), settings),
                    ContainsSubstring("expected at least one block of 120 tokens"));
  settings.block_tokens = 1000000;
  CHECK_THROWS_WITH(plan_finetune(base(), small_data(), settings),
                    ContainsSubstring("max_seq_length: expected at most the model's"));
  FinetuneData data = small_data();
  data.train[0].tokens[0] = 100000;
  CHECK_THROWS_WITH(
      finetune(base(), "tiny", data, small_settings(), folder.path(), [](const auto&) {}),
      ContainsSubstring("item item0: expected tokens below the vocabulary"));
}

}  // namespace labelprobe::training
