// The files of probes, under the published names.
#include <algorithm>
#include <array>
#include <cstddef>
#include <sstream>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/safetensors_writer.h"
#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/training/probes.h"

#include "training/probes/probe_model.h"

namespace labelprobe::training {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;

constexpr const char* kFolder = "linear_probes";
constexpr std::array kNames = {"metrics.yml", "metrics_model.yml", "indexed_metrics.yml",
                               "model.safetensors"};

// One name of a single-label set, else a list of names.
Json names_of(const std::optional<Labels>& labels, const LabelSet& label_set) {
  if (!labels) return nullptr;
  const std::vector<std::string> names = label_set.names_of(*labels);
  return label_set.is_multilabel() ? Json(names) : Json(names.at(0));
}

std::string yaml_of(const Json& mapping) {
  std::string text;
  if (mapping.empty()) return "{}\n";
  files::append_yaml_entries(&text, mapping, 0);
  return text;
}

std::string items_as_yaml(const ProbeOutcome& outcome) {
  const LabelSet& set = outcome.label_set;
  Json items = Json::object();
  for (const ProbedItem& item : outcome.items) {
    items[item.key] = {{"preds", names_of(item.found, set)},
                       {"label", names_of(item.gold, set)},
                       {"gt", names_of(item.gold, set)},
                       {"model_preds", names_of(item.predicted, set)},
                       {"model_outs", item.answer}};
  }
  return yaml_of(items);
}

// The weights of all probes behind one another: [n_columns][n_components], and their intercepts.
struct Weights {
  std::vector<double> weights;
  std::vector<double> intercepts;
  Json probes = Json::array();  // which labels they are of, in the order of the columns
};

Weights gather(const LabelProbes& probes, const LabelSet& label_set) {
  Weights all;
  for (const LabelProbe& probe : probes.probes) {
    Json one = {{"labels", label_set.names_of(probe.labels)},
                {"n_columns", probe.regression.intercepts.size()},
                {"n_iterations", probe.regression.n_iterations},
                {"has_converged", probe.regression.has_converged}};
    if (probe.constant) one["constant"] = *probe.constant;
    all.probes.push_back(std::move(one));
    const Regression& found = probe.regression;
    all.weights.insert(all.weights.end(), found.weights.begin(), found.weights.end());
    all.intercepts.insert(all.intercepts.end(), found.intercepts.begin(), found.intercepts.end());
  }
  return all;
}

std::string model_as_safetensors(const ProbeOutcome& outcome, const ProbeSettings& settings) {
  const ProbeModel& model = *outcome.model;
  const Weights gold = gather(model.gold, outcome.label_set);
  const Weights predicted = gather(model.predicted, outcome.label_set);
  std::vector<files::SafetensorsTensor> tensors;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape,
                       const double* numbers, std::size_t n) {
    tensors.push_back(
        {name, "F64", std::move(shape), std::as_bytes(std::span<const double>(numbers, n))});
  };
  const auto add_weights = [&](const std::string& name, const Weights& weights) {
    const auto n = static_cast<std::int64_t>(weights.intercepts.size());
    add(name + "_weights", {n, outcome.n_components}, weights.weights.data(),
        weights.weights.size());
    add(name + "_intercepts", {n}, weights.intercepts.data(), weights.intercepts.size());
  };
  const Reduction& reduction = model.reduction;
  add("scales", {reduction.scales.size(0)}, reduction.scales.const_data_ptr<double>(),
      static_cast<std::size_t>(reduction.scales.numel()));
  add("components", {outcome.n_components, reduction.components.size(1)},
      reduction.components.const_data_ptr<double>(),
      static_cast<std::size_t>(reduction.components.numel()));
  add_weights("gold", gold);
  add_weights("predicted", predicted);
  const std::map<std::string, std::string> metadata = {
      {"format", "labelprobe probes 1"},
      {"labels", Json(outcome.label_set.names()).dump()},
      {"kind", outcome.label_set.is_multilabel() ? "multi-label" : "single-label"},
      {"layer", std::to_string(settings.layer)},
      {"solver", std::string(kProbeSolvers.name_of(settings.solver))},
      {"gold", gold.probes.dump()},
      {"predicted", predicted.probes.dump()}};
  std::ostringstream bytes;
  files::write_safetensors(bytes, tensors, metadata);
  return bytes.str();
}

std::string scores_as_yaml(const ProbeOutcome& outcome) {
  std::ostringstream text;
  analysis::write_scores(text, outcome.scores.value(), outcome.label_set);
  return text.str();
}

void write_file(const fs::path& path, const std::string& content) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) {
    throw ConfigError(fmt::format("{}: cannot make the folder: {}", path.parent_path().string(),
                                  error.message()));
  }
  files::OutputFile file(path);
  file.stream() << content;
  file.finish();
}

std::vector<fs::path> folders_of(const ProbeRequest& request) {
  std::vector<fs::path> folders = {request.run.folder / kFolder};
  if (!request.output_folder.empty()) folders.push_back(request.output_folder);
  return folders;
}

std::vector<fs::path> score_files_of(const ProbeRequest& request) {
  if (!request.scored) return {};
  std::vector<fs::path> paths = {request.scored->folder / kFolder / "scores.yml"};
  if (!request.output_folder.empty()) paths.push_back(request.output_folder / "eval_scores.yml");
  return paths;
}

}  // namespace

std::vector<fs::path> probe_files(const ProbeRequest& request) {
  std::vector<fs::path> paths;
  for (const fs::path& folder : folders_of(request)) {
    for (const char* name : kNames) paths.push_back(folder / name);
  }
  const std::vector<fs::path> of_scores = score_files_of(request);
  paths.insert(paths.end(), of_scores.begin(), of_scores.end());
  return paths;
}

void write_probe_files(const ProbeRequest& request,
                       const ProbeSettings& settings,
                       const ProbeOutcome& outcome) {
  const std::array contents = {yaml_of(outcome.metrics), yaml_of(outcome.model_metrics),
                               items_as_yaml(outcome), model_as_safetensors(outcome, settings)};
  for (const fs::path& folder : folders_of(request)) {
    for (std::size_t i = 0; i < kNames.size(); ++i) write_file(folder / kNames[i], contents[i]);
  }
  for (const fs::path& path : score_files_of(request)) write_file(path, scores_as_yaml(outcome));
}

}  // namespace labelprobe::training
