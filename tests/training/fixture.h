// The runs and reference numbers of this room, made by scripts/fixtures/probes_reference.py.
#pragma once

#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/label_set.h"
#include "labelprobe/training/probes.h"

#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::training {

inline nlohmann::json reference() {
  return support::read_json(support::fixture("training/probes.json"));
}

inline at::Tensor matrix_of(const nlohmann::json& rows) {
  const auto numbers = rows.get<std::vector<std::vector<double>>>();
  std::vector<at::Tensor> tensors;
  for (const std::vector<double>& row : numbers) tensors.push_back(at::tensor(row, at::kDouble));
  return at::stack(tensors);
}

inline LabelSet label_set_of(const nlohmann::json& one) {
  return {one.at("labels").get<std::vector<std::string>>(),
          one.at("is_multilabel") ? LabelKind::MultiLabel : LabelKind::SingleLabel};
}

inline ProbeSettings settings_of(const nlohmann::json& all, const nlohmann::json& one) {
  ProbeSettings settings;
  settings.n_components = all.at("n_components").get<std::int64_t>();
  settings.solver = kProbeSolvers.parse(one.at("solver").get<std::string>());
  settings.seed = all.at("seed");
  settings.l2 = all.at("l2");
  return settings;
}

// What is listed under `kind` ("gold", "predicted") for these items.
inline std::vector<Labels> labels_of(const nlohmann::json& one,
                                     const std::string& kind,
                                     const std::string& part) {
  const LabelSet label_set = label_set_of(one);
  std::vector<Labels> all;
  for (const std::string key : one.at(part)) {
    const nlohmann::json& listed = one.at(kind).at(key);
    Labels labels;
    for (const std::string name : listed.is_array() ? listed : nlohmann::json{listed}) {
      labels.push_back(label_set.index_of(name).value());
    }
    std::sort(labels.begin(), labels.end());
    all.push_back(std::move(labels));
  }
  return all;
}

}  // namespace labelprobe::training
