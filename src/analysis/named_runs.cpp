#include "labelprobe/analysis/named_runs.h"

#include <filesystem>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

namespace {

// The last part of a model's name or path; of a file without its ending .gguf.
std::string short_model(const std::string& model) {
  std::filesystem::path path(model);
  if (path.filename().empty()) path = path.parent_path();
  return path.extension() == ".gguf" ? path.stem().string() : path.filename().string();
}

}  // namespace

std::string NamedRuns::name() const {
  if (set.empty() && model.empty()) return experiments.front().folder.filename().string();
  return set + (set.empty() || model.empty() ? "" : "/") + model;
}

void check_names(std::size_t n_given, std::span<const std::string> names) {
  if (!names.empty() && names.size() != n_given) {
    throw ConfigError(fmt::format("--name: expected one name for each of the {} runs, found {}",
                                  n_given, names.size()));
  }
}

void take_name(const std::string& name, std::string& set, std::string& model) {
  const std::size_t slash = name.find('/');
  if (slash != std::string::npos) set = name.substr(0, slash);
  model = slash == std::string::npos ? name : name.substr(slash + 1);
}

std::vector<NamedRuns> read_all_named(std::span<const std::string> given,
                                      std::span<const std::string> names) {
  check_names(given.size(), names);
  std::vector<NamedRuns> all;
  for (std::size_t i = 0; i < given.size(); ++i) {
    NamedRuns& named = all.emplace_back();
    named.experiments = record::read_named_runs(given[i]);
    named.set = record::task_of(named.experiments.front());
    named.model = short_model(named.experiments.front().model);
    if (!names.empty()) take_name(names[i], named.set, named.model);
  }
  return all;
}

}  // namespace labelprobe::analysis
