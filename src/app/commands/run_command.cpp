// labelprobe run, classify and assess: the whole way from a data set to indexed_metrics.yml, for
// one setting or a grid of them. They differ in what they ask and in the layout of the log.
#include <algorithm>
#include <array>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "labelprobe/core/error.h"

#include "app/commands/command.h"
#include "app/commands/dry_run.h"
#include "app/commands/error_report.h"
#include "app/commands/run_setting.h"
#include "app/options/grid.h"
#include "app/options/option_reader.h"

namespace labelprobe::app {

namespace {

using experiment::Program;

// Settings are checked before any runs, and their prompts kept up to about this many tokens, those
// of the other settings being made a second time.
constexpr std::int64_t kMostTokensKept = 20'000'000;

spdlog::level::level_enum logging_level(const Options& options) {
  const std::string name = options.text("logging_level");
  const std::string known[] = {"debug", "info", "warning", "error"};
  if (std::find(std::begin(known), std::end(known), name) == std::end(known)) {
    throw ConfigError(options.place("logging_level") + ": " +
                      unknown_choice("logging level", name, known));
  }
  return spdlog::level::from_str(name);
}

// Messages go to the terminal at the asked level.
std::shared_ptr<spdlog::logger> make_logger(spdlog::level::level_enum level) {
  auto terminal = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  terminal->set_level(level);
  terminal->set_pattern("%^%l%$: %v");
  auto logger = std::make_shared<spdlog::logger>("labelprobe", std::move(terminal));
  logger->set_level(spdlog::level::debug);
  return logger;
}

// Settings of the same model stand together, in the order of their first ones, so that each model
// is loaded once.
std::vector<Options> grouped_by_model(std::vector<Options> settings) {
  std::map<std::vector<std::string>, std::size_t> ranks;  // by model, in the order of first use
  std::vector<std::pair<std::size_t, Options>> ranked;
  for (Options& one : settings) {
    std::vector<std::string> model = {one.text("model_name_or_path")};
    for (const OptionInfo& option : run_options()) {
      if (option.group == kLoadingGroup) {
        model.push_back(one.text(option.name));
      }
    }
    const std::size_t rank = ranks.try_emplace(std::move(model), ranks.size()).first->second;
    ranked.emplace_back(rank, std::move(one));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::transform(ranked.begin(), ranked.end(), settings.begin(),
                 [](auto& entry) { return std::move(entry.second); });
  return settings;
}

int show(const PreparedSetting& setting) {
  describe_dry_run(std::cout, setting);
  return kSuccess;
}

int run_one(Program program, const std::string& task, const Options& options, spdlog::logger& log) {
  Workbench workbench;
  const PreparedSetting setting = prepare_setting(program, task, options, workbench, log);
  for (const std::string& sentence : describe_warnings(setting, options)) {
    log.warn("{}", sentence);
  }
  return options.boolean("dry_run") ? show(setting) : run_setting(setting, options, workbench, log);
}

// The settings of a grid, one after the other. One that fails does not stop the others.
class GridRun {
 public:
  GridRun(Program program, std::string task, std::vector<Options> settings, spdlog::logger& log)
      : program_(program),
        task_(std::move(task)),
        settings_(std::move(settings)),
        differences_(describe_differences(settings_)),
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

  PreparedSetting prepare(std::size_t i) {
    return prepare_setting(program_, task_, settings_[i], workbench_, log_);
  }

  int check(std::size_t i) {
    PreparedSetting setting = prepare(i);
    n_tokens_kept_ += setting.preparation.token_counts.n_prompt_tokens;
    if (n_tokens_kept_ <= kMostTokensKept) {
      prepared_[i] = std::move(setting);
    }
    return kSuccess;
  }

  int carry_out(std::size_t i) {
    const bool is_dry_run = settings_[i].boolean("dry_run");
    (is_dry_run ? std::cout : std::cerr)
        << name(i) << (differences_[i].empty() ? "" : ": " + differences_[i]) << std::endl;
    const PreparedSetting setting = prepared_[i] ? std::move(*prepared_[i]) : prepare(i);
    prepared_[i].reset();
    for (const std::string& sentence : describe_warnings(setting, settings_[i])) {
      if (warned_.insert(sentence).second) {  // most hold for every setting; once is enough
        log_.warn("{}", sentence);
      }
    }
    return is_dry_run ? show(setting) : run_setting(setting, settings_[i], workbench_, log_);
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

  Program program_;
  std::string task_;
  std::vector<Options> settings_;
  std::vector<std::string> differences_;
  std::vector<std::optional<PreparedSetting>> prepared_;
  std::vector<int> codes_;
  spdlog::logger& log_;
  Workbench workbench_;
  std::set<std::string> warned_;
  std::int64_t n_tokens_kept_ = 0;
};

CommandBody declare_program(CLI::App& app,
                            Program program,
                            const std::vector<std::string_view>& groups) {
  struct Arguments {
    std::string task;
    OptionReader reader;
  };
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("TASK", arguments->task, "Data set (see: labelprobe ls datasets)")->required();
  arguments->reader.declare(app, groups);
  return [arguments, program] {
    const std::string& task = arguments->task;
    std::cerr << "labelprobe " LABELPROBE_VERSION ": " << task << std::endl;
    std::vector<Options> settings = grouped_by_model(arguments->reader.read());
    if (settings.size() > 1 && settings.front().is_set("profile")) {
      throw ConfigError(settings.front().place("profile") +
                        ": profile: its file holds one setting's trace; expected one value of each "
                        "option, found several of some");
    }
    const auto log = make_logger(logging_level(settings.front()));
    return settings.size() == 1 ? run_one(program, task, settings.front(), *log)
                                : GridRun(program, task, std::move(settings), *log).run();
  };
}

}  // namespace

CommandBody declare_run(CLI::App& app) {
  return declare_program(app, Program::Distribution,
                         {kDataGroup, kPromptGroup, kDistributionGroup, kModelGroup, kLoadingGroup,
                          kRunGroup, kLogGroup});
}

CommandBody declare_classify(CLI::App& app) {
  return declare_program(
      app, Program::Plain,
      {kDataGroup, kPromptGroup, kModelGroup, kLoadingGroup, kRunGroup, kLogGroup});
}

CommandBody declare_assess(CLI::App& app) {
  return declare_program(
      app, Program::Pair,
      {kDataGroup, kPromptGroup, kPairGroup, kModelGroup, kLoadingGroup, kRunGroup, kLogGroup});
}

}  // namespace labelprobe::app
