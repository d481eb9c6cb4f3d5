#include "labelprobe/record/run.h"

#include <utility>

#include "record/folder/folder_choice.h"
#include "record/folder/folder_name.h"
#include "record/folder/journal.h"
#include "record/run_folder.h"

namespace labelprobe::record {

struct Run::State {
  explicit State(const RunRequest& request) : run(request) {}
  RunFolder run;
};

RunPreview preview(const RunRequest& request) {
  check_relative(request.category, "log category");
  const nlohmann::json params = comparable_form(request.params);
  const FolderChoice choice = choose_folder(request, params);
  RunPreview preview{choice.folder, 0, 0};
  if (!choice.found) {
    return preview;
  }
  const Manifest manifest = Manifest::load(*choice.found / kManifestName);
  const auto resumed =
      unfinished_experiment(manifest, *choice.found, params, request.contents_fingerprint);
  preview.experiment_index = static_cast<int>(resumed.value_or(manifest.experiments.size()));
  if (resumed &&
      manifest.experiments[*resumed].contents_fingerprint == request.contents_fingerprint) {
    preview.n_finished = load_journal(journal_path(*choice.found, *resumed)).items.size();
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

const std::vector<std::string>& Run::notes() const {
  return state_->run.notes();
}

const std::map<std::string, ItemRecord>& Run::finished() const {
  return state_->run.finished();
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
