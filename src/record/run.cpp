#include "labelprobe/record/run.h"

#include <utility>

#include <fmt/format.h>

#include "record/folder/folder_choice.h"
#include "record/folder/journal.h"
#include "record/folder/params.h"
#include "record/log/experiment_files.h"
#include "record/run_folder.h"

namespace labelprobe::record {

struct Run::State {
  explicit State(const RunRequest& request) : run(request) {}
  RunFolder run;
};

namespace {

// "experiment_0: finished, 40 items"
std::string describe(const Experiment& experiment,
                     const std::filesystem::path& folder,
                     std::size_t index) {
  std::string text = fmt::format("experiment_{}: ", index);
  if (experiment.state == ExperimentState::Finished ||
      experiment.state == ExperimentState::Replacing) {
    text += "finished";
    if (experiment.n_items) text += fmt::format(", {} items", *experiment.n_items);
    if (experiment.n_failed > 0) text += fmt::format(", {} of them failed", experiment.n_failed);
    return text;
  }
  const auto holder = files::FileLock::holder(lock_path(folder, index));
  text += holder ? fmt::format("{} is at it", *holder) : "unfinished";
  const Journal journal = load_journal(journal_path(folder, index));
  text += fmt::format(", {} items so far", journal.items.size());
  if (const std::size_t n = count_failed(journal); n > 0)
    text += fmt::format(", {} of them failed", n);
  if (!journal.damaged_lines.empty()) {
    text += fmt::format(", {} of its journal", describe_damage(journal));
  }
  return text;
}

}  // namespace

RunPreview preview(const RunRequest& request) {
  check_names(request);
  const nlohmann::json params = comparable_form(request.params);
  const FolderChoice choice = choose_folder(request, params);
  RunPreview preview;
  preview.folder = choice.folder;
  preview.notes = choice.notes;
  files::Disk disk;
  preview.files = ExperimentFiles(disk, request, choice.folder, 0, {}).names();
  if (!choice.found) {
    return preview;
  }
  const Manifest manifest = Manifest::load(*choice.found / kManifestName);
  for (std::size_t i = 0; i < manifest.experiments.size(); ++i) {
    preview.notes.push_back(
        fmt::format("there already: {}", describe(manifest.experiments[i], *choice.found, i)));
  }
  const ExperimentChoice experiment = choose_experiment(manifest, *choice.found, request, params);
  const std::vector<std::string> reasons = explain(manifest, experiment, request, params);
  preview.notes.insert(preview.notes.end(), reasons.begin(), reasons.end());
  preview.experiment_index = static_cast<int>(experiment.index);
  if (experiment.state == ExperimentChoice::State::GoesOn) {
    const Journal journal = load_journal(journal_path(*choice.found, experiment.index));
    preview.n_finished =
        journal.items.size() - (request.retries_failed ? count_failed(journal) : 0);
  } else if (experiment.state == ExperimentChoice::State::StartsOver) {
    preview.notes.push_back(
        fmt::format("experiment_{} would start over; changed since: {}", experiment.index,
                    changed_contents(manifest.experiments[experiment.index], request)));
  } else if (experiment.state == ExperimentChoice::State::Finished) {
    const Experiment& finished = manifest.experiments[experiment.index];
    preview.folder = *choice.found;
    preview.n_failed = finished.n_failed;
    preview.is_finished = !request.retries_failed || finished.n_failed == 0;
    if (!preview.is_finished) {
      preview.n_finished = finished.n_items.value_or(finished.n_failed) - finished.n_failed;
    }
  }
  return preview;
}

Run Run::open(const RunRequest& request) {
  return Run(std::make_unique<State>(request));
}

Run::Run(std::unique_ptr<State> state) : state_(std::move(state)) {}

Run::~Run() = default;
Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;

const std::filesystem::path& Run::folder() const {
  return state_->run.folder();
}

int Run::experiment_index() const {
  return static_cast<int>(state_->run.index());
}

bool Run::was_finished() const {
  return state_->run.was_finished();
}

bool Run::is_retry() const {
  return state_->run.is_retry();
}

std::size_t Run::n_failed() const {
  return state_->run.n_failed();
}

const std::vector<std::string>& Run::notes() const {
  return state_->run.notes();
}

const ItemStore& Run::finished() const {
  return state_->run.finished();
}

void Run::add_provenance(const Provenance& provenance) {
  state_->run.add_provenance(provenance);
}

void Run::append(std::span<const ItemRecord> items) {
  state_->run.append(items);
}

void Run::finish(std::span<const std::string> keys,
                 const std::optional<Metrics>& metrics,
                 const std::map<std::string, Metrics>& annotator_metrics) {
  state_->run.finish(keys, metrics, annotator_metrics);
}

}  // namespace labelprobe::record
