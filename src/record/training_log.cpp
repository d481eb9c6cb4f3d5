#include "labelprobe/record/training_log.h"

#include "record/run_folder.h"

namespace labelprobe::record {

struct TrainingRun::State {
  explicit State(const RunRequest& request) : run(request) {}
  RunFolder run;
};

TrainingRun::TrainingRun(const RunRequest& request) : state_(std::make_unique<State>(request)) {}

TrainingRun::~TrainingRun() = default;

const std::filesystem::path& TrainingRun::folder() const {
  return state_->run.folder();
}

int TrainingRun::experiment_index() const {
  return static_cast<int>(state_->run.index());
}

bool TrainingRun::was_finished() const {
  return state_->run.was_finished();
}

const std::vector<std::string>& TrainingRun::notes() const {
  return state_->run.notes();
}

void TrainingRun::add_provenance(const Provenance& provenance) {
  state_->run.add_provenance(provenance);
}

void TrainingRun::finish(const TrainingLog& log) {
  state_->run.finish(log);
}

}  // namespace labelprobe::record
