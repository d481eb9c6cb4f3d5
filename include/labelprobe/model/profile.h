// Where the time of a model goes: one call of generate() as libtorch's profiler (Kineto) sees it.
// Names operators and the GPU's kernels, but not what they are for. Caller: app, for --profile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/model/language_model.h"

namespace labelprobe::model {

struct ProfileRow {
  std::string name;
  std::int64_t n_calls = 0;
  double seconds = 0;  // its own: without what it called
};

struct ProfileSummary {
  double seconds = 0;    // of the wall clock that were recorded
  bool is_whole = true;  // false: generate() went on after the recording had reached its limit
  // Operators of the thread that called generate(), most time first. An operator that divides its
  // work among threads counts once, from its beginning to its end.
  std::vector<ProfileRow> operators;
  double unnamed_seconds = 0;  // of that thread in no operator
  bool is_gpu = false;
  std::vector<ProfileRow> kernels;  // of the GPU, copies included, most time first
  double gpu_busy_seconds = 0;      // at least one of them was running
};

// Events are kept in memory until the end, about 1.5 kB each.
struct ProfileLimits {
  std::int64_t n_operators = 200'000;
  double gpu_seconds = 5;  // on a GPU one operator may start many kernels
};

class Profile {
 public:
  // The file is for the trace, in the JSON that chrome://tracing and Perfetto show. Throws
  // ConfigError if it cannot be written.
  explicit Profile(std::filesystem::path trace, const ProfileLimits& limits = {});
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  const std::filesystem::path& trace() const { return trace_; }

  // Answers as `model` does, a few microseconds later for every operator; its first generate() is
  // recorded, up to the limits. To be used while both `model` and this live.
  LanguageModel& watch(LanguageModel& model);

  // Writes the trace; unset if nothing was recorded. Throws ModelError if libtorch does not write
  // it, for example for want of Kineto.
  std::optional<ProfileSummary> finish();

 private:
  class Recorder;
  class WatchedModel;

  std::filesystem::path trace_;
  ProfileLimits limits_;
  std::unique_ptr<Recorder> recorder_;
  std::unique_ptr<WatchedModel> watched_;
};

}  // namespace labelprobe::model
