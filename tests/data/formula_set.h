// The sets of scripts/fixtures/evaluation_list_reference.py, made by the same formula.
#pragma once

#include <nlohmann/json.hpp>

#include "labelprobe/data/dataset.h"

#include "support/paths.h"
#include "support/program.h"

namespace labelprobe::data {

inline Labels choose(bool is_multilabel, int n_labels, int i, int k) {
  if (!is_multilabel) {
    return {(i * i + i / 3 + k * (i % 2)) % n_labels};
  }
  Labels labels;
  for (int l = 0; l < n_labels; ++l) {
    if ((i * (2 * l + 3) + k * (l + 1) * (i % 3) + i / (l + 2)) % 5 == 0) {
      labels.push_back(l);
    }
  }
  return labels;
}

inline int n_annotators_of(int i) {
  return i % 11 == 0 ? 0 : i % 5 == 0 ? 1 : 3;
}

// In the order of annotation mode both (or aggregate, for a case without annotators).
inline Dataset formula_set(const nlohmann::json& formula) {
  const bool is_multilabel = formula["is_multilabel"].get<bool>();
  const int n_labels = formula["n_labels"].get<int>();
  std::vector<std::string> names;
  for (int l = 0; l < n_labels; ++l) {
    names.push_back("l" + std::to_string(l));
  }
  Dataset dataset;
  dataset.name = "Formula";
  dataset.label_set =
      LabelSet(names, is_multilabel ? LabelKind::MultiLabel : LabelKind::SingleLabel);
  const auto add = [&](int i, const std::string& annotator, int k) {
    dataset.examples.push_back({"e" + std::to_string(i), annotator, "text " + std::to_string(i),
                                choose(is_multilabel, n_labels, i, k)});
  };
  for (int k = 0; k < 3 && formula["annotators"].get<bool>(); ++k) {
    for (int i = 0; i < formula["n_examples"].get<int>(); ++i) {
      if (k < n_annotators_of(i)) {
        add(i, "a" + std::to_string(k), k);
      }
    }
  }
  for (int i = 0; i < formula["n_examples"].get<int>(); ++i) {
    add(i, std::string(kAggregate), 0);
  }
  return dataset;
}

inline nlohmann::json formula_cases() {
  return nlohmann::json::parse(
      support::read_file(support::fixture("data/evaluation_lists.json")))["cases"];
}

}  // namespace labelprobe::data
