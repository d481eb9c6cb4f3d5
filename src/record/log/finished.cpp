#include "record/log/finished.h"

#include <algorithm>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "record/log/log_reader.h"

namespace labelprobe::record {

namespace fs = std::filesystem;

namespace {

// Folders of finished runs at most two folders below one that is none, to say what was meant; of
// huge folders only a part is looked at.
std::vector<std::string> runs_below(const fs::path& folder) {
  constexpr int kMostEntries = 10'000;
  int n_entries = 0;
  std::vector<std::string> runs;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, error);
       !error && entry != fs::recursive_directory_iterator() && n_entries++ < kMostEntries;
       entry.increment(error)) {
    if (entry.depth() >= 2) {
      entry.disable_recursion_pending();
    }
    if (entry->is_directory(error) && has_items(entry->path())) {
      runs.push_back(entry->path().string());
    }
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

}  // namespace

std::vector<bool> finished_by_manifest(const fs::path& folder) {
  std::vector<bool> finished;
  if (fs::is_regular_file(folder / kManifestName)) {
    for (const Experiment& experiment : Manifest::load(folder / kManifestName).experiments) {
      finished.push_back(experiment.state == ExperimentState::Finished);
    }
  }
  return finished;
}

std::optional<Experiment> find_noted(const fs::path& folder, int index) {
  if (!fs::is_regular_file(folder / kManifestName)) return std::nullopt;
  const Manifest manifest = Manifest::load(folder / kManifestName);
  const auto place = static_cast<std::size_t>(index);
  return place < manifest.experiments.size() ? std::optional(manifest.experiments[place])
                                             : std::nullopt;
}

std::string_view check_part(std::string_view text,
                            const fs::path& path,
                            std::size_t index,
                            const Experiment& experiment,
                            const FilePart& part) {
  std::string finding;
  if (text.size() < part.end) {
    finding = fmt::format("{} bytes in all", text.size());
  } else if (fingerprint(text.substr(part.begin, part.end - part.begin)) != part.fingerprint) {
    finding = "other bytes there";
  }
  if (!finding.empty()) {
    throw DataError(fmt::format(
        "{}: experiment_{} was finished with {} items and its bytes {} to {}, found {}; restore "
        "the file, or run the experiment again",
        path.string(), index, experiment.n_items.value_or(0), part.begin, part.end, finding));
  }
  return text.substr(part.begin, part.end - part.begin);
}

bool has_finished_run(const fs::path& folder) {
  const std::vector<bool> finished = finished_by_manifest(folder);
  return finished.empty() ? has_items(folder)
                          : std::find(finished.begin(), finished.end(), true) != finished.end();
}

void check_run_folder(const fs::path& folder) {
  if (has_items(folder) || !finished_by_manifest(folder).empty()) {
    return;
  }
  if (!fs::is_directory(folder)) {
    const std::vector<std::string> known =
        runs_below(folder.parent_path().empty() ? "." : folder.parent_path());
    const std::string near = nearest_choice(folder.string(), known);
    throw DataError(fmt::format(
        "{}: expected the log folder of a finished run, found no such folder{}", folder.string(),
        near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  if (fs::exists(folder / "shards.json")) {
    throw DataError(
        fmt::format("{}: holds the shards of a run that is not over; labelprobe merge ends it "
                    "when all are finished, labelprobe show shows them",
                    folder.string()));
  }
  constexpr std::size_t kMostNamed = 5;
  const std::vector<std::string> known = runs_below(folder);
  std::string below;
  for (std::size_t i = 0; i < std::min(known.size(), kMostNamed); ++i) {
    below += (i == 0 ? "; runs below it: " : ", ") + known[i];
  }
  throw DataError(fmt::format(
      "{}: expected the log folder of a finished run, found no indexed_metrics.yml in it{}{}",
      folder.string(), below, known.size() > kMostNamed ? ", ..." : ""));
}

}  // namespace labelprobe::record
