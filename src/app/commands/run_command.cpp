// labelprobe run, classify and assess: the whole way from a data set to indexed_metrics.yml, for
// one setting or a grid of them. They differ in what they ask and in the layout of the log.
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "labelprobe/core/error.h"

#include "app/commands/command.h"
#include "app/commands/dry_run.h"
#include "app/commands/error_report.h"
#include "app/commands/run_setting.h"
#include "app/options/grid.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

using experiment::Program;

// Settings are checked before any runs, and their prompts kept up to about this many tokens, those
// of the other settings being made a second time.
constexpr std::int64_t kMostTokensKept = 20'000'000;

using RunSetting = GridSetting<RunSettings>;

// Messages go to the terminal at the asked level.
std::shared_ptr<spdlog::logger> make_logger(spdlog::level::level_enum level) {
  auto terminal = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  terminal->set_level(level);
  terminal->set_pattern("%^%l%$: %v");
  auto logger = std::make_shared<spdlog::logger>("labelprobe", std::move(terminal));
  logger->set_level(spdlog::level::debug);
  return logger;
}

// What decides which weights are in memory, and how.
auto model_key(const ModelLoading& loading) {
  const model::OpenOptions& options = loading.options;
  return std::tuple(loading.name, options.dtype, options.device, options.n_threads,
                    options.quantization, options.allows_tf32, loading.packed_copy);
}

// Settings of the same model stand together, in the order of their first ones, so that each model
// is loaded once.
std::vector<RunSetting> grouped_by_model(std::vector<RunSetting> settings) {
  std::map<decltype(model_key(ModelLoading())), std::size_t> ranks;  // in the order of first use
  std::vector<std::pair<std::size_t, RunSetting>> ranked;
  for (RunSetting& one : settings) {
    const auto [entry, is_new] = ranks.try_emplace(model_key(one.settings.model), ranks.size());
    ranked.emplace_back(entry->second, std::move(one));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  settings.clear();
  for (auto& [rank, one] : ranked) {
    settings.push_back(std::move(one));
  }
  return settings;
}

int show(const PreparedSetting& setting) {
  describe_dry_run(std::cout, setting);
  return kSuccess;
}

PreparedSetting prepare(const RunSetting& setting, Workbench& workbench, spdlog::logger& log) {
  if (setting.mistake) {
    std::rethrow_exception(setting.mistake);
  }
  return prepare_setting(setting, workbench, log);
}

int run_one(const RunSetting& setting, spdlog::logger& log) {
  Workbench workbench;
  const PreparedSetting prepared = prepare(setting, workbench, log);
  for (const std::string& sentence : describe_warnings(prepared)) {
    log.warn("{}", sentence);
  }
  return setting.settings.is_dry_run ? show(prepared) : run_setting(prepared, workbench, log);
}

// The settings of a grid, one after the other. One that fails does not stop the others.
class GridRun {
 public:
  GridRun(std::vector<RunSetting> settings, spdlog::logger& log)
      : settings_(std::move(settings)),
        differences_(differences(settings_)),
        prepared_(settings_.size()),
        codes_(settings_.size(), kSuccess),
        log_(log) {}

  int run() {
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      attempt(i, [&] { return check(i); });
    }
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      if (codes_[i] == kSuccess) {
        attempt(i, [&] { return carry_out(i); });
      }
    }
    return summarize();
  }

 private:
  static std::vector<std::string> differences(const std::vector<RunSetting>& settings) {
    std::vector<std::vector<record::Param>> params;
    for (const RunSetting& setting : settings) {
      params.push_back(setting.params);
    }
    return describe_differences(params);
  }

  std::string name(std::size_t i) const {
    return "setting " + std::to_string(i + 1) + " of " + std::to_string(settings_.size());
  }

  template <typename Work>
  void attempt(std::size_t i, const Work& work) {
    try {
      codes_[i] = work();
    } catch (const std::exception& error) {
      codes_[i] =
          report(error, name(i) + (differences_[i].empty() ? "" : " (" + differences_[i] + ")"));
    }
  }

  int check(std::size_t i) {
    PreparedSetting setting = prepare(settings_[i], workbench_, log_);
    n_tokens_kept_ += setting.preparation.token_counts.n_prompt_tokens;
    if (n_tokens_kept_ <= kMostTokensKept) {
      prepared_[i] = std::move(setting);
    }
    return kSuccess;
  }

  int carry_out(std::size_t i) {
    const bool is_dry_run = settings_[i].settings.is_dry_run;
    (is_dry_run ? std::cout : std::cerr)
        << name(i) << (differences_[i].empty() ? "" : ": " + differences_[i]) << std::endl;
    const PreparedSetting setting =
        prepared_[i] ? std::move(*prepared_[i]) : prepare(settings_[i], workbench_, log_);
    prepared_[i].reset();
    for (const std::string& sentence : describe_warnings(setting)) {
      if (warned_.insert(sentence).second) {  // most hold for every setting; once is enough
        log_.warn("{}", sentence);
      }
    }
    return is_dry_run ? show(setting) : run_setting(setting, workbench_, log_);
  }

  int summarize() const {
    const auto is_error = [](int code) { return code != kSuccess && code != kSomeFailed; };
    const auto n_errors = std::count_if(codes_.begin(), codes_.end(), is_error);
    if (n_errors > 0) {
      log_.error("{} of {} settings failed", n_errors, settings_.size());
      return *std::find_if(codes_.begin(), codes_.end(), is_error);
    }
    return *std::max_element(codes_.begin(), codes_.end());
  }

  std::vector<RunSetting> settings_;
  std::vector<std::string> differences_;
  std::vector<std::optional<PreparedSetting>> prepared_;
  std::vector<int> codes_;
  spdlog::logger& log_;
  Workbench workbench_;
  std::set<std::string> warned_;
  std::int64_t n_tokens_kept_ = 0;
};

int run(std::vector<RunSetting> given) {
  if (given.size() == 1 && given.front().mistake) {
    std::rethrow_exception(given.front().mistake);
  }
  const RunSettings& first = given.front().settings;
  std::cerr << "labelprobe " LABELPROBE_VERSION ": " << first.experiment.task << std::endl;
  const auto log = make_logger(first.logging_level);
  if (given.size() == 1) {
    return run_one(given.front(), *log);
  }
  if (!first.profile.empty()) {
    throw ConfigError(
        "--profile: its file holds one setting's trace; expected one value of each option, found "
        "several of some");
  }
  return GridRun(grouped_by_model(std::move(given)), *log).run();
}

template <Program program>
Command make_run_command(CommandText text) {
  return make_grid_command<RunSettings>(
      text,
      [](OptionList& options, RunSettings& settings) { declare_run(options, settings, program); },
      run);
}

}  // namespace

Command run_command() {
  return make_run_command<Program::Distribution>(
      {"run", "Ask a model about every example and log the label probabilities",
       "labelprobe run GoEmotions --config configs/example/config.yaml --model-name-or-path "
       "MODEL"});
}

Command classify_command() {
  return make_run_command<Program::Plain>(
      {"classify", "Prompt a model for the labels of every example, annotators' items included",
       "labelprobe classify GoEmotions --config configs/example/config.yaml --model-name-or-path "
       "MODEL"});
}

Command assess_command() {
  return make_run_command<Program::Pair>(
      {"assess", "Ask a model whether the label shown with a text is reasonable",
       "labelprobe assess GoEmotions --config configs/example/assess.yaml --model-name-or-path "
       "MODEL"});
}

}  // namespace labelprobe::app
