#include "labelprobe/analysis/scores_file.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/example.h"

namespace labelprobe::analysis {

namespace {

constexpr const char* kForm = "a mapping of example ids to mappings of labels to probabilities";

std::string place_of(const std::filesystem::path& path, const YAML::Node& node) {
  return fmt::format("{}:{}: ", path.string(), std::max(node.Mark().line, 0) + 1);
}

std::string_view what_is(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map:
      return "a mapping";
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Scalar:
      return "a single value";
    default:
      return "nothing";
  }
}

YAML::Node load(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) {
    throw DataError(path.string() + ": no such file; expected " + kForm);
  }
  YAML::Node root;
  try {
    root = YAML::LoadFile(path.string());
  } catch (const YAML::BadFile&) {
    throw DataError(path.string() + ": cannot be read");
  } catch (const YAML::Exception& error) {
    throw DataError(
        fmt::format("{}:{}: not YAML: {}", path.string(), error.mark.line + 1, error.msg));
  }
  if (!root.IsMap()) {
    throw DataError(
        fmt::format("{}:1: expected {}, found {}", path.string(), kForm, what_is(root)));
  }
  return root;
}

double read_prob(const std::string& place, const std::string& label, const YAML::Node& node) {
  double prob = 0.0;
  const bool is_number = node.IsScalar() && YAML::convert<double>::decode(node, prob);
  if (!is_number || !(prob >= 0.0 && prob <= 1.0)) {
    throw DataError(
        fmt::format("{}label '{}': expected a probability from 0 to 1, found {}", place, label,
                    node.IsScalar() ? "'" + node.Scalar() + "'" : std::string(what_is(node))));
  }
  return prob;
}

// All labels of one example; what the set does not have is counted and the first of it named.
std::vector<double> read_entry(const std::filesystem::path& path,
                               const std::string& id,
                               const YAML::Node& entry,
                               const LabelSet& label_set) {
  const std::string place = place_of(path, entry) + "id '" + id + "': ";
  if (!entry.IsMap()) {
    throw DataError(place + "expected a mapping of labels to probabilities, found " +
                    std::string(what_is(entry)));
  }
  std::vector<std::optional<double>> found(static_cast<std::size_t>(label_set.size()));
  std::size_t n_unknown = 0;
  std::string first_unknown;
  for (const auto& value : entry) {
    const std::string label = value.first.IsScalar() ? value.first.Scalar() : "";
    const auto index = label_set.index_of(label);
    if (index) {
      std::optional<double>& prob = found[static_cast<std::size_t>(*index)];
      if (prob) {
        throw DataError(place + "label '" + label + "' stands here twice");
      }
      prob = read_prob(place_of(path, value.first) + "id '" + id + "': ", label, value.second);
    } else if (!label_set.is_multilabel() || label != kNoneLabel) {
      first_unknown = n_unknown == 0 ? label : first_unknown;
      ++n_unknown;
    }
  }
  if (n_unknown > 0) {
    throw DataError(fmt::format("{}{} of {} labels are not the data set's, the first: {}", place,
                                n_unknown, entry.size(),
                                unknown_choice("label", first_unknown, label_set.names())));
  }
  std::vector<double> probs;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) {
      throw DataError(
          fmt::format("{}expected a probability for each of the {} labels, found none for '{}'",
                      place, label_set.size(), label_set.names()[i]));
    }
    probs.push_back(*found[i]);
  }
  return probs;
}

}  // namespace

Distributions read_scores(const std::filesystem::path& path, const LabelSet& label_set) {
  const YAML::Node root = load(path);
  const std::string ending = std::string(kIdSeparator) + std::string(kAggregate);
  Distributions scores{"scores", {}};
  for (const auto& entry : root) {
    if (!entry.first.IsScalar()) {
      throw DataError(place_of(path, entry.first) + "expected an example id, found " +
                      std::string(what_is(entry.first)));
    }
    std::string id = entry.first.Scalar();
    if (id.starts_with("experiment_")) {
      throw DataError(place_of(path, entry.first) + "expected an example id, found '" + id +
                      "': this is a run's log; give its folder instead");
    }
    if (id.ends_with(ending)) {
      id.resize(id.size() - ending.size());
    }
    if (!scores.probs.emplace(id, read_entry(path, id, entry.second, label_set)).second) {
      throw DataError(place_of(path, entry.first) + "id '" + id + "' stands here a second time");
    }
  }
  if (scores.probs.empty()) {
    throw DataError(path.string() + ": expected " + kForm + ", found an empty one");
  }
  return scores;
}

}  // namespace labelprobe::analysis
