#include "experiment/paper/paper_probes.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/json.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/record/provenance.h"
#include "labelprobe/training/probes.h"

namespace labelprobe::experiment {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kProbedSets = {"GoEmotions", "MFRC", "SemEval"};

fs::path folder_of(const PaperRequest& request, std::size_t model, const std::string& task) {
  return request.folder / "probes" / request.models[model] / task;
}

fs::path summary_of(const PaperRequest& request, std::size_t model, const std::string& task) {
  return folder_of(request, model, task) / "summary.json";
}

// A run that is there, or null.
const PaperRun* finished(const PaperRequest& request,
                         std::size_t model,
                         std::string_view kind,
                         const std::string& task) {
  const PaperRun* run = find_paper_run(request, model, kind, task);
  return run && run->missing.empty() ? run : nullptr;
}

record::RunName name_of(const PaperRun& run) {
  return {run.folder, run.experiment_index};
}

// What the probes are made of: other logs, states, settings or programs give another text.
std::string made_of(const training::ProbeRequest& request,
                    const training::ProbeSettings& settings) {
  std::string text =
      fmt::format("{} {} ", record::program_version(), settings.n_components.value_or(0));
  const auto add = [&](const record::RunName& run) {
    const std::string states = fmt::format("hidden_states_{}.safetensors", run.index.value_or(0));
    for (const std::string& name : {std::string("indexed_metrics.yml"), states}) {
      std::error_code ignored;  // what is not there is told when it is read
      const fs::path file = run.folder / name;
      const auto n_bytes = fs::file_size(file, ignored);
      const auto written = fs::last_write_time(file, ignored).time_since_epoch().count();
      text += fmt::format("{} {} {} ", file.string(), n_bytes, written);
    }
  };
  add(request.run);
  if (request.scored) add(*request.scored);
  return fingerprint(text);
}

std::map<std::string, double> measures_of(const training::ProbeOutcome& outcome) {
  std::map<std::string, double> measures;
  const auto take = [&](const char* name, const auto& metrics, const char* metric) {
    const auto found = metrics.find(metric);
    if (found != metrics.end()) measures[name] = found->second;
  };
  take("perf", outcome.metrics, "llm_micro_f1");
  take("gold", outcome.metrics, "micro_f1");
  take("pred", outcome.model_metrics, "micro_f1");
  take("pred_nonfirst", outcome.model_metrics, "micro_f1_nonfirst");
  return measures;
}

// Those of an earlier process; unset where they are of something else, or cannot be read.
std::optional<std::map<std::string, double>> read_summary(const fs::path& file,
                                                          const std::string& made_of) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  try {
    const nlohmann::json summary = files::load_json_object(file, ErrorKind::Data).value();
    if (summary.value("made_of", "") != made_of) return std::nullopt;
    return summary.at("measures").get<std::map<std::string, double>>();
  } catch (const std::exception&) {
    return std::nullopt;  // they are trained anew
  }
}

void write_summary(const fs::path& path,
                   const std::string& made_of,
                   const std::map<std::string, double>& measures) {
  files::OutputFile file(path);
  file.stream() << nlohmann::json({{"made_of", made_of}, {"measures", measures}}).dump(2) << '\n';
  file.finish();
}

PaperProbes train(const PaperRequest& request,
                  const PaperRun& run,
                  const std::function<void(const std::string&)>& progress) {
  const std::size_t model = run.cell.model;
  const std::string& task = run.cell.task;
  training::ProbeRequest wanted;
  wanted.run = name_of(run);
  if (const PaperRun* scored = finished(request, model, "scored", task)) {
    wanted.scored = name_of(*scored);
  }
  wanted.output_folder = folder_of(request, model, task);
  training::ProbeSettings settings;
  settings.n_components = request.n_components;
  const std::string origin = made_of(wanted, settings);
  const fs::path summary = summary_of(request, model, task);
  PaperProbes probes;
  if (settings.n_components) {
    probes.note = fmt::format(
        "probes on {} components; the paper has a quarter of the features, "
        "at least 512",
        *settings.n_components);
  }
  if (auto known = read_summary(summary, origin)) {
    probes.measures = std::move(*known);
    return probes;
  }
  const training::ProbePlan plan = training::plan_probes(wanted, settings);
  const std::string of = fmt::format("probes of {}, {}: ", request.models[model], task);
  const training::ProbeOutcome outcome =
      training::train_probes(plan, settings, [&](const std::string& what) { progress(of + what); });
  training::write_probe_files(wanted, settings, outcome);
  probes.measures = measures_of(outcome);
  write_summary(summary, origin, probes.measures);
  return probes;
}

}  // namespace

AllPaperProbes train_paper_probes(const PaperRequest& request,
                                  const std::function<void(const std::string&)>& progress) {
  AllPaperProbes all;
  for (const PaperRun& run : request.runs) {
    const bool is_probed =
        std::find(kProbedSets.begin(), kProbedSets.end(), run.cell.task) != kProbedSets.end();
    if (run.cell.kind->name != "steps" || !is_probed) continue;
    PaperProbes& probes = all[{run.cell.model, run.cell.task}];
    if (!run.missing.empty()) {
      probes.missing = reason_of(run);
      continue;
    }
    try {
      probes = train(request, run, progress);
    } catch (const Error& error) {
      probes.missing = error.what();
    }
  }
  return all;
}

AllProbeScores probe_scores(const PaperRequest& request, const AllPaperProbes& probes) {
  AllProbeScores scores;
  for (const auto& [place, found] : probes) {
    ProbeScores& one = scores[place];
    one.missing = found.missing;
    if (!one.missing.empty()) continue;
    const PaperRun* scored = find_paper_run(request, place.first, "scored", place.second);
    one.file = folder_of(request, place.first, place.second) / "eval_scores.yml";
    if (!scored) {
      one.missing = "no run whose items they score";
    } else if (!scored->missing.empty()) {
      one.missing = reason_of(*scored);
    }
  }
  return scores;
}

}  // namespace labelprobe::experiment
