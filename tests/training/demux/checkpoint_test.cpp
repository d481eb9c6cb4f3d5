#include "training/demux/checkpoint.h"

#include <filesystem>

#include <ATen/ATen.h>

#include "labelprobe/core/error.h"

#include "support/catch.h"
#include "support/file_size_limit.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::training {
namespace {

TrainingState make_state(std::int64_t step) {
  TrainingState state;
  state.step = step;
  state.losses.assign(static_cast<std::size_t>(step), 0.1);
  state.norms.assign(static_cast<std::size_t>(step), 2.5);
  state.evaluations = {{1, {{"f1", 0.25}}, at::ones({3, 2})},
                       {2, {{"f1", 0.125}}, at::zeros({3, 2})}};
  state.best = 0;
  return state;
}

const NamedTensors kWeights = {{"a", at::ones({4, 3})}, {"b", at::zeros({0})}};
const NamedTensors kOptimizer = {{"a.step", at::tensor({7}, at::kLong)}};

}  // namespace

TEST_CASE("A checkpoint is read back as it was, and only for the same contents",
          "[training][demux]") {
  const support::TempFolder folder;
  CheckpointFolder files(folder.path(), "these");
  CHECK_FALSE(files.load());
  files.save_best(0, kWeights);
  files.save_best(1, kWeights);
  files.save(make_state(5), kWeights, kOptimizer);
  const auto loaded = files.load();
  REQUIRE(loaded);
  CHECK(loaded->state.step == 5);
  CHECK(loaded->state.losses == std::vector<double>(5, 0.1));
  CHECK(loaded->state.norms == std::vector<double>(5, 2.5));
  REQUIRE(loaded->state.evaluations.size() == 2);
  CHECK(loaded->state.evaluations[1].step == 2);
  CHECK(loaded->state.evaluations[1].metrics.at("f1") == 0.125);
  CHECK(at::equal(loaded->state.evaluations[0].logits, at::ones({3, 2})));
  CHECK(loaded->state.best == 0U);
  CHECK(at::equal(loaded->weights.at("a"), kWeights.at("a")));
  CHECK(loaded->weights.at("b").numel() == 0);
  CHECK(at::equal(loaded->optimizer.at("a.step"), kOptimizer.at("a.step")));
  CHECK(at::equal(files.load_best(0).at("a"), kWeights.at("a")));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "best_1.safetensors"));  // is not the best
  CHECK_FALSE(CheckpointFolder(folder.path(), "others").load());
  files.clear();
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("A checkpoint that finds no room leaves the former one whole", "[training][demux]") {
  const support::TempFolder folder;
  CheckpointFolder files(folder.path(), "these");
  files.save(make_state(1), kWeights, kOptimizer);
  const std::string before = support::read_file(files.checkpoint_file());
  {
    const support::FileSizeLimit limit(2000);
    CHECK_THROWS_WITH(
        files.save(make_state(2), {{"a", at::ones({1000})}}, kOptimizer),
        ContainsSubstring("checkpoint.safetensors cannot be written: File too large"));
  }
  CHECK(support::read_file(files.checkpoint_file()) == before);
  CHECK(files.load()->state.step == 1);
}

TEST_CASE("A checkpoint that was cut is refused by name", "[training][demux]") {
  const support::TempFolder folder;
  CheckpointFolder files(folder.path(), "these");
  files.save(make_state(1), kWeights, kOptimizer);
  std::filesystem::resize_file(files.checkpoint_file(), 100);
  CHECK_THROWS_AS(files.load(), DataError);
}

}  // namespace labelprobe::training
