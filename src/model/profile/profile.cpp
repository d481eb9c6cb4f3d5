#include "labelprobe/model/profile.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <ATen/record_function.h>
#include <c10/core/Device.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <kineto/ActivityType.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include "labelprobe/core/error.h"

#include "model/profile/profile_summary.h"

namespace labelprobe::model {
namespace {

namespace profiler = torch::autograd::profiler;

// The clock of the profiler's events.
std::int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

void check_writable(const std::filesystem::path& file) {
  std::error_code ignored;
  const bool is_new = !std::filesystem::exists(file, ignored);
  if (!std::ofstream(file, std::ios::binary | std::ios::app)) {
    throw ConfigError(fmt::format(
        "{}: the profile cannot be written there; expected a file name in a folder that is there",
        file.string()));
  }
  if (is_new) std::filesystem::remove(file, ignored);
}

[[noreturn]] void refuse(const std::filesystem::path& trace, std::string_view reason) {
  throw ModelError(
      fmt::format("{}: libtorch wrote no profile: {}; PyTorch's own builds of libtorch have its "
                  "profiler, Kineto",
                  trace.string(), reason));
}

// Kernels, copies and fills are the GPU's; the shadows that host operators throw on its time line
// are not counted. Operators and calls of the CUDA libraries are the host's.
std::optional<TracedEvent::Place> place_of(const profiler::KinetoEvent& event) {
  switch (static_cast<libkineto::ActivityType>(event.activityType())) {
    case libkineto::ActivityType::CONCURRENT_KERNEL:
    case libkineto::ActivityType::GPU_MEMCPY:
    case libkineto::ActivityType::GPU_MEMSET:
      return TracedEvent::Place::Gpu;
    case libkineto::ActivityType::CPU_OP:
    case libkineto::ActivityType::USER_ANNOTATION:
    case libkineto::ActivityType::CUDA_RUNTIME:
    case libkineto::ActivityType::CUDA_DRIVER:
      return TracedEvent::Place::Host;
    default:
      return {};
  }
}

}  // namespace

// Records the thread that it is made on, from start() to stop() or until a limit is reached.
class Profile::Recorder {
 public:
  Recorder(const std::string& device, const ProfileLimits& limits)
      : device_(device.substr(0, device.find(','))), limits_(limits) {
    if (device_.is_cuda()) {
      activities_.insert(profiler::ActivityType::CUDA);
    } else {
      ::setenv("KINETO_LOG_LEVEL", "99", 0);  // it would complain that there is no GPU
    }
  }

  ~Recorder() {
    try {
      stop();
    } catch (const std::exception&) {
      // Only where generate() has failed, which is what will be told.
    }
  }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void start() {
    const profiler::ProfilerConfig config(profiler::ProfilerState::KINETO);
    profiler::prepareProfiler(config, activities_);
    profiler::enableProfiler(config, activities_);
    counting = this;
    counter_ = at::addThreadLocalCallback(at::RecordFunctionCallback([](const at::RecordFunction&) {
                                            if (counting) counting->count();
                                            return std::unique_ptr<at::ObserverContext>();
                                          }).scopes({at::RecordScope::FUNCTION}));
    recorded_.thread = at::RecordFunction::currentThreadId();
    recorded_.begin_ns = now_ns();
  }

  void stop() {
    if (!counting) return;
    counting = nullptr;
    at::removeCallback(counter_);
    if (is_paused_) {
      at::enableRecordFunction(true);
    } else {
      if (device_.is_cuda()) {
        c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
      }
      recorded_.end_ns = now_ns();
    }
    result_ = profiler::disableProfiler();
  }

  ProfileSummary summarize() {
    for (const profiler::KinetoEvent& event : result_->events()) {
      const auto place = place_of(event);
      if (!place) continue;
      const auto begin_ns = static_cast<std::int64_t>(event.startNs());
      recorded_.events.push_back({event.name(), *place, event.startThreadId(), begin_ns,
                                  begin_ns + static_cast<std::int64_t>(event.durationNs())});
    }
    ProfileSummary summary = model::summarize(std::move(recorded_));
    summary.is_whole = !is_paused_;
    summary.is_gpu = device_.is_cuda();
    return summary;
  }

  void save(const std::filesystem::path& trace) const { result_->save(trace.string()); }

 private:
  // Called as every operator begins. The profiler cannot be ended here, amid operators.
  void count() {
    ++n_operators_;
    const bool is_over_time =
        device_.is_cuda() &&
        static_cast<double>(now_ns() - recorded_.begin_ns) > limits_.gpu_seconds * 1e9;
    if (n_operators_ < limits_.n_operators && !is_over_time) return;
    is_paused_ = true;
    recorded_.end_ns = now_ns();
    at::enableRecordFunction(false);
    if (device_.is_cuda()) {
      profiler::toggleCollectionDynamic(false, {profiler::ActivityType::CUDA});
    }
  }

  // Callbacks are plain functions; that of this thread's recorder.
  static thread_local Recorder* counting;

  c10::Device device_;
  ProfileLimits limits_;
  std::set<profiler::ActivityType> activities_ = {profiler::ActivityType::CPU};
  at::CallbackHandle counter_ = 0;
  std::int64_t n_operators_ = 0;
  bool is_paused_ = false;
  Recorded recorded_;
  std::unique_ptr<profiler::ProfilerResult> result_;
};

thread_local Profile::Recorder* Profile::Recorder::counting = nullptr;

class Profile::WatchedModel : public LanguageModel {
 public:
  WatchedModel(LanguageModel& model,
               const ProfileLimits& limits,
               std::unique_ptr<Recorder>& recorder)
      : model_(model), limits_(limits), recorder_(recorder) {}

  void generate(std::span<const TokenIds> prompts,
                const GenerateOptions& options,
                const GenerationSink& sink) override {
    watch([&] { model_.generate(prompts, options, sink); });
  }

  void explore(std::span<const TokenIds> prompts,
               const ExploreOptions& options,
               Explorer& explorer) override {
    watch([&] { model_.explore(prompts, options, explorer); });
  }

  const ModelInfo& info() const override { return model_.info(); }
  Effort effort() const override { return model_.effort(); }

 private:
  // The first work is recorded.
  template <typename Work>
  void watch(const Work& work) {
    if (recorder_) {
      work();
      return;
    }
    auto recorder = std::make_unique<Recorder>(model_.info().device, limits_);
    try_profiler([&] { recorder->start(); });
    work();
    try_profiler([&] { recorder->stop(); });
    recorder_ = std::move(recorder);
  }

  template <typename Work>
  void try_profiler(const Work& work) const {
    try {
      work();
    } catch (const c10::Error& error) {
      throw ModelError(fmt::format("libtorch's profiler failed: {}; leave --profile out",
                                   error.what_without_backtrace()));
    }
  }

  LanguageModel& model_;
  ProfileLimits limits_;
  std::unique_ptr<Recorder>& recorder_;
};

Profile::Profile(std::filesystem::path trace, const ProfileLimits& limits)
    : trace_(std::move(trace)), limits_(limits) {
  check_writable(trace_);
}

Profile::~Profile() = default;

LanguageModel& Profile::watch(LanguageModel& model) {
  watched_ = std::make_unique<WatchedModel>(model, limits_, recorder_);
  return *watched_;
}

std::optional<ProfileSummary> Profile::finish() {
  if (!recorder_) return {};
  ProfileSummary summary = recorder_->summarize();
  std::error_code no_file;
  std::filesystem::remove(trace_, no_file);  // an older one must not pass for this one
  try {
    recorder_->save(trace_);
  } catch (const c10::Error& error) {
    refuse(trace_, error.what_without_backtrace());
  }
  if (!std::filesystem::is_regular_file(trace_, no_file)) refuse(trace_, "there is no file");
  return summary;
}

}  // namespace labelprobe::model
