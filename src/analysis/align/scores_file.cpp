#include "labelprobe/analysis/scores_file.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/example.h"
#include "labelprobe/files/yaml.h"

namespace labelprobe::analysis {

namespace {

constexpr const char* kForm = "a mapping of example ids to mappings of labels to probabilities";

double read_prob(const std::string& id, const std::string& label, const files::YamlView& node) {
  const std::optional<double> prob = node.number();
  if (!prob || !(*prob >= 0.0 && *prob <= 1.0)) {
    node.fail(fmt::format("id '{}': label '{}': expected a probability from 0 to 1, found {}", id,
                          label, node.shown()));
  }
  return *prob;
}

// All labels of one example; what the set does not have is counted and the first of it named.
std::vector<double> read_entry(const std::string& id,
                               const files::YamlView& entry,
                               const LabelSet& label_set) {
  const std::string place = fmt::format("{}: id '{}': ", entry.place(), id);
  if (!entry.is_map()) {
    throw DataError(place + "expected a mapping of labels to probabilities, found " +
                    entry.shown());
  }
  std::vector<std::optional<double>> found(static_cast<std::size_t>(label_set.size()));
  std::size_t n_unknown = 0;
  std::string first_unknown;
  const auto members = entry.members();
  for (const auto& [name, value] : members) {
    const std::string label = name.is_scalar() ? name.text() : "";
    const auto index = label_set.index_of(label);
    if (index) {
      std::optional<double>& prob = found[static_cast<std::size_t>(*index)];
      if (prob) {
        throw DataError(place + "label '" + label + "' stands here twice");
      }
      prob = read_prob(id, label, value);
    } else if (!label_set.is_multilabel() || label != kNoneLabel) {
      first_unknown = n_unknown == 0 ? label : first_unknown;
      ++n_unknown;
    }
  }
  if (n_unknown > 0) {
    throw DataError(fmt::format("{}{} of {} labels are not the data set's, the first: {}", place,
                                n_unknown, members.size(),
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
  if (!std::filesystem::is_regular_file(path)) {
    throw DataError(path.string() + ": no such file; expected " + kForm);
  }
  const files::YamlView root = files::load_yaml(path, ErrorKind::Data);
  if (!root.is_map()) root.fail_expected(kForm);
  const std::string ending = std::string(kIdSeparator) + std::string(kAggregate);
  Distributions scores{"scores", {}};
  for (const auto& [key, entry] : root.members()) {
    if (!key.is_scalar()) key.fail_expected("an example id");
    std::string id = key.text();
    if (id.starts_with("experiment_")) {
      key.fail("expected an example id, found '" + id +
               "': this is a run's log; give its folder instead");
    }
    if (id.ends_with(ending)) {
      id.resize(id.size() - ending.size());
    }
    if (!scores.probs.emplace(id, read_entry(id, entry, label_set)).second) {
      key.fail("id '" + id + "' stands here a second time");
    }
  }
  if (scores.probs.empty()) {
    throw DataError(path.string() + ": expected " + kForm + ", found an empty one");
  }
  return scores;
}

}  // namespace labelprobe::analysis
