// One run as it is asked for, from settings to files. Prepared first, so that the mistakes of every
// run are known before any of them is carried out. Says what happens through a listener; prints
// nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/experiment/preparation.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/experiment/workbench.h"
#include "labelprobe/record/run.h"
#include "labelprobe/record/shards.h"

namespace labelprobe::experiment {

struct Job {
  std::string program_version;
  Settings settings;
  SentenceEncoderChoice sentence_encoder;
  ModelLoading model;
  record::RunRequest request;          // where the log goes, and the options as they are logged
  std::optional<record::Shard> shard;  // the part of it that is computed; unset = all
  bool is_dry_run = false;             // then the device need not be here
  std::vector<std::string> warnings;   // sentences, of options given in vain
};

// Everything short of loading weights and writing files.
struct PreparedJob {
  Job job;             // with all that was found out: the model's place, the whole request
  std::string device;  // that the run will be on
  model::ModelInfo model_info;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  Preparation preparation;
  std::vector<std::string> warnings;  // what a person should know before it runs, in sentences
};

// Throws ConfigError, DataError or ModelError. The workbench must outlive what is made.
PreparedJob prepare(Job job, Workbench& workbench);

// Where a run is, and how it ended.
struct JobResult {
  std::filesystem::path folder;
  int experiment_index = 0;
  bool was_finished = false;   // by an earlier process: nothing was done
  std::size_t n_failed = 0;    // items that are recorded as failed
  bool is_unfinished = false;  // the same job asks for these again
  // Set where a shard is done and others are not: "2 (not begun)". Then `folder` is that of all
  // shards.
  std::string shards_left = {};
  std::optional<Outcome> merged = {};   // of all shards, where this was the last
  std::vector<std::string> notes = {};  // see record::Run::notes()
};

// What is told while jobs run. Every function may be left as it is.
class JobListener {
 public:
  virtual ~JobListener() = default;

  // Another process is at the same log: a sentence says which, and since when.
  virtual void on_wait(const std::string& /*sentence*/) {}
  // In place of all that follows.
  virtual void on_finished_before(const JobResult&) {}
  // The log is open, up to on_close().
  virtual void on_open(const PreparedJob&, const record::ItemLog&) {}
  virtual void on_packed_copy(const std::filesystem::path& /*folder*/, double /*seconds*/) {}
  // The model is at hand. Returns the one to use: a wrapper of it, or itself.
  virtual model::LanguageModel& on_model(model::LanguageModel& model,
                                         bool /*is_new*/,
                                         double /*seconds*/) {
    return model;
  }
  virtual void on_progress(const Progress&) {}
  virtual void on_outcome(const PreparedJob&,
                          const JobResult&,
                          const Outcome&,
                          double /*seconds*/) {}
  virtual void on_close() {}
  // A shard is over, whose log is closed: it was the last one, and the run has ended; or others are
  // left.
  virtual void on_shard(const PreparedJob&, const JobResult&) {}
};

// Runs it, or its shard, to its end, unless a run like it is finished. The last shard ends the run.
// Loads the model only if something is left to compute. Throws what record::Run and the model
// throw; on_close() is called even so.
JobResult carry_out(const PreparedJob& prepared, Workbench& workbench, JobListener& listener);

// "float32", or "FP4 weights, float32" where weights are kept otherwise than they are computed.
std::string describe_numerics(model::Quantization quantization, model::DType dtype);

// Warnings of what was asked for where it changes nothing: TF32, --fast. `device` is the one used.
std::vector<std::string> warn_of_idle_settings(const ModelLoading& loading,
                                               const std::string& device);

}  // namespace labelprobe::experiment
