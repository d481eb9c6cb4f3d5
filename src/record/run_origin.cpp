#include "labelprobe/record/run_origin.h"

#include <fmt/format.h>

#include "labelprobe/files/yaml.h"

#include "record/folder/manifest.h"
#include "record/log/params_reader.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

std::vector<Provenance> read_provenance(const fs::path& folder, int index) {
  if (!fs::is_regular_file(folder / kManifestName)) return {};
  Manifest manifest = Manifest::load(folder / kManifestName);
  const auto place = static_cast<std::size_t>(index);
  if (place >= manifest.experiments.size()) return {};
  return std::move(manifest.experiments[place].provenance);
}

std::map<std::string, std::string> read_metrics(const fs::path& folder, int index) {
  const fs::path file = folder / "metrics.yml";
  std::map<std::string, std::string> metrics;
  if (!fs::is_regular_file(file)) return metrics;
  const files::YamlView root = files::load_yaml(file, ErrorKind::Data);
  if (!root.is_map()) return metrics;
  const std::string wanted = fmt::format("experiment_{}", index);
  for (const auto& [experiment, values] : root.members()) {
    if (!experiment.is_scalar() || experiment.text() != wanted || !values.is_map()) continue;
    for (const auto& [name, value] : values.members()) {
      if (name.is_scalar() && value.number()) metrics[name.text()] = value.text();
    }
  }
  return metrics;
}

}  // namespace

RunOrigin read_origin(const LoggedRun& run) {
  return {read_option_values(run.folder, run.index), read_provenance(run.folder, run.index),
          read_metrics(run.folder, run.index)};
}

}  // namespace labelprobe::record
