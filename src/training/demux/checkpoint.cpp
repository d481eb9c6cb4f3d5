#include "training/demux/checkpoint.h"

#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/safetensors.h"

namespace labelprobe::training {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kFormat = "labelprobe demux checkpoint 1";
constexpr std::int64_t kMaxSteps = std::int64_t{1} << 40;

std::string describe(const TrainingState& state) {
  json evaluations = json::array();
  for (const Evaluation& each : state.evaluations) {
    evaluations.push_back({{"step", each.step}, {"metrics", each.metrics}});
  }
  return json{{"step", state.step},
              {"best", state.best ? json(*state.best) : json()},
              {"evaluations", std::move(evaluations)}}
      .dump();
}

std::vector<double> numbers_of(const at::Tensor& tensor) {
  const double* first = tensor.const_data_ptr<double>();
  return {first, first + tensor.numel()};
}

TrainingState read_state(const fs::path& path, const std::string& text, const NamedTensors& parts) {
  const files::JsonView root = files::parse_json(text, {path.string(), ErrorKind::Data});
  TrainingState state;
  state.step = root.at("step").integer(0, kMaxSteps);
  state.losses = numbers_of(parts.at("losses"));
  state.norms = numbers_of(parts.at("norms"));
  for (const files::JsonView& each : root.at("evaluations").items()) {
    Evaluation evaluation;
    evaluation.step = each.at("step").integer(0, kMaxSteps);
    for (const auto& [name, number] : each.at("metrics").members()) {
      evaluation.metrics[name] = number.number();
    }
    evaluation.logits = parts.at(fmt::format("logits.{}", state.evaluations.size()));
    state.evaluations.push_back(std::move(evaluation));
  }
  if (root.has("best")) {
    state.best = static_cast<std::size_t>(
        root.at("best").integer(0, static_cast<std::int64_t>(state.evaluations.size()) - 1));
  }
  return state;
}

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path folder, std::string contents)
    : folder_(std::move(folder)), contents_(std::move(contents)) {}

std::optional<CheckpointFolder::Loaded> CheckpointFolder::load() const {
  const fs::path path = checkpoint_file();
  if (!fs::exists(path)) return std::nullopt;
  const auto file = files::SafetensorsFile::open(path, ErrorKind::Data);
  const auto& metadata = file.metadata();
  const auto text_of = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (text_of("format") != kFormat || text_of("contents") != contents_) return std::nullopt;
  Loaded loaded;
  NamedTensors parts;
  for (auto& [name, tensor] : read_tensors(file)) {
    constexpr std::string_view kWeights = "weights.";
    constexpr std::string_view kOptimizer = "optimizer.";
    if (name.starts_with(kWeights)) {
      loaded.weights[name.substr(kWeights.size())] = tensor;
    } else if (name.starts_with(kOptimizer)) {
      loaded.optimizer[name.substr(kOptimizer.size())] = tensor;
    } else {
      parts[name] = tensor;
    }
  }
  loaded.state = read_state(path, text_of("state"), parts);
  return loaded;
}

void CheckpointFolder::save(const TrainingState& state,
                            const NamedTensors& weights,
                            const NamedTensors& optimizer) {
  NamedTensors tensors = {{"losses", at::tensor(state.losses, at::kDouble)},
                          {"norms", at::tensor(state.norms, at::kDouble)}};
  for (std::size_t i = 0; i < state.evaluations.size(); ++i) {
    tensors[fmt::format("logits.{}", i)] = state.evaluations[i].logits;
  }
  for (const auto& [name, tensor] : weights) tensors["weights." + name] = tensor;
  for (const auto& [name, tensor] : optimizer) tensors["optimizer." + name] = tensor;
  write_tensors(checkpoint_file(), tensors,
                {{"format", kFormat}, {"contents", contents_}, {"state", describe(state)}});
  remove_best_but(state.best);
}

void CheckpointFolder::save_best(std::size_t evaluation, const NamedTensors& weights) {
  write_tensors(best_file(evaluation), weights, {{"contents", contents_}});
}

NamedTensors CheckpointFolder::load_best(std::size_t evaluation) const {
  return read_tensors(files::SafetensorsFile::open(best_file(evaluation), ErrorKind::Data));
}

void CheckpointFolder::clear() {
  remove_best_but(std::nullopt);
  fs::remove(checkpoint_file());
}

fs::path CheckpointFolder::best_file(std::size_t evaluation) const {
  return folder_ / fmt::format("best_{}.safetensors", evaluation);
}

void CheckpointFolder::remove_best_but(std::optional<std::size_t> kept) {
  std::vector<fs::path> left_over;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("best_") && !(kept && entry.path() == best_file(*kept))) {
      left_over.push_back(entry.path());
    }
  }
  for (const fs::path& path : left_over) fs::remove(path);
}

}  // namespace labelprobe::training
