#include "app/commands/jobs.h"

#include <algorithm>

#include "labelprobe/core/error.h"

#include "app/options/grid.h"

namespace labelprobe::app {

namespace {

experiment::Job make_job(const Setting<RunSettings>& setting) {
  const RunSettings& run = setting.settings;
  experiment::Job job;
  job.program_version = LABELPROBE_VERSION;
  job.settings = run.experiment;
  job.sentence_encoder = choose_encoder(run.sentence_encoder, run.model.options);
  job.model = run.model;
  job.request = run.request;
  job.request.params = setting.params;
  job.shard = run.shard;
  job.is_dry_run = run.is_dry_run;
  job.warnings = setting.idle;
  return job;
}

}  // namespace

std::vector<experiment::GridJob> make_jobs(const std::vector<GridSetting<RunSettings>>& settings) {
  std::vector<std::vector<record::Param>> params;
  for (const GridSetting<RunSettings>& setting : settings) {
    params.push_back(setting.params);
  }
  const std::vector<std::string> differences = describe_differences(params);
  std::vector<experiment::GridJob> jobs;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    jobs.push_back({make_job(settings[i]), differences[i], settings[i].mistake});
  }
  return jobs;
}

std::vector<experiment::GridJob> read_jobs(const std::vector<std::string>& command_line) {
  LABELPROBE_CHECK(!command_line.empty());
  if (std::any_of(command_line.begin(), command_line.end(), [](const std::string& word) {
        return word == "--shard" || word.starts_with("--shard=");
      })) {
    throw ConfigError(
        "--shard: a part of a run is done by labelprobe run, classify and assess alone; "
        "labelprobe paper --commands prints the commands to give it to");
  }
  const std::string& name = command_line.front();
  const auto settings =
      read_settings(find_command(name), {command_line.begin() + 1, command_line.end()});
  if (name == kClassifyName) {
    return make_jobs(fill_settings<RunSettings>(
        [](OptionList& options, RunSettings& run) { declare_run(options, run, kClassifyName); },
        settings));
  }
  LABELPROBE_CHECK(name == kRunName);
  return make_jobs(fill_settings<RunSettings>(
      [](OptionList& options, RunSettings& run) { declare_run(options, run, kRunName); },
      settings));
}

experiment::SentenceEncoderChoice choose_encoder(const SentenceEncoderSettings& encoder,
                                                 const model::OpenOptions& model) {
  // An encoder is small: the first of several devices does.
  const std::string of_model = model.device.substr(0, model.device.find(','));
  return {encoder.model, encoder.device.value_or(of_model), model.n_threads};
}

}  // namespace labelprobe::app
