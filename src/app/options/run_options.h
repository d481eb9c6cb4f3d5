// The options of runs, by group, and the settings that they fill. A command declares the groups
// that it has a use for. Sources: the published programs' flags.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <spdlog/common.h>

#include "labelprobe/data/dataset.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/experiment/workbench.h"
#include "labelprobe/model/open.h"
#include "labelprobe/record/run.h"
#include "labelprobe/record/shards.h"

#include "app/options/option.h"
#include "app/terminal/colour.h"

namespace labelprobe::app {

// The sentence encoder that compares texts.
struct SentenceEncoderSettings {
  std::string model;                  // folder or name; empty = none
  std::optional<std::string> device;  // unset: the model's
};

// Everything that the options of one run say.
struct RunSettings {
  experiment::Settings experiment;
  SentenceEncoderSettings sentence_encoder;
  experiment::ModelLoading model;
  record::RunRequest request;          // where the log goes; its params are filled in later
  std::filesystem::path profile;       // empty = none
  std::optional<double> seconds;       // the time limit; unset = none
  std::optional<record::Shard> shard;  // the part of the run that is done; unset = all
  bool is_dry_run = false;
  bool hides_progress = false;
  bool is_quiet = false;    // warnings and errors only
  bool is_verbose = false;  // everything
  Colour colour = Colour::Auto;
  spdlog::level::level_enum logging_level = spdlog::level::info;
};

// The data set of a command that looks at one without running anything.
struct DataSettings {
  data::DatasetOptions train;
  data::DatasetOptions test;
};

// "TASK", a known data set.
void declare_task(OptionList& options, std::string& task);

void declare_data(OptionList& options, DataSettings& data);
void declare_model_loading(OptionList& options, experiment::ModelLoading& model);
void declare_splitting(OptionList& options, std::string& splitting);
void declare_repetition_penalty(OptionList& options, std::optional<double>& penalty);

// What makes the questions of a run: a task, data, prompts, and these groups.
struct QuestionGroups {
  bool has_distribution = false;
  bool has_pairs = false;
};
void declare_questions(OptionList& options,
                       experiment::Settings& settings,
                       SentenceEncoderSettings& encoder,
                       QuestionGroups groups);

// The model of a run, and how it answers.
void declare_answering(OptionList& options, RunSettings& run);

// All of a run.
//   command  kRunName, where --distribution names the plan, or the plan of that name
inline constexpr std::string_view kRunName = "run";
inline constexpr std::string_view kClassifyName = "classify";
void declare_run(OptionList& options, RunSettings& run, std::string_view command);

}  // namespace labelprobe::app
