#include "app/commands/model_tool.h"

#include <iostream>
#include <sstream>
#include <vector>

#include "labelprobe/experiment/job.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/weights/locate.h"

#include "app/terminal/profile_report.h"

namespace labelprobe::app {

namespace {

void introduce(const model::ModelInfo& info, const experiment::ModelLoading& loading) {
  std::cerr << info.architecture << ", "
            << experiment::describe_numerics(info.quantization, info.dtype) << ", " << info.device
            << " (" << info.device_name << "), " << info.backend << '\n';
  std::vector<std::string> warnings = experiment::warn_of_idle_settings(loading, info.device);
  warnings.insert(warnings.end(), info.warnings.begin(), info.warnings.end());
  warnings.insert(warnings.end(), info.device_warnings.begin(), info.device_warnings.end());
  const std::string of_revision = weights::warn_of_revision(loading.name);
  if (!of_revision.empty()) warnings.push_back(of_revision);
  for (const std::string& warning : warnings) std::cerr << "warning: " << warning << '\n';
}

}  // namespace

void read_lines(const std::string& name,
                const std::function<void(std::istream& lines, const std::string& name)>& read) {
  if (name == "-") {
    read(std::cin, "standard input");
    return;
  }
  std::istringstream file(std::string(files::open_file(name, "JSON lines").text()));
  read(file, name);
}

model::LanguageModel& open_model(experiment::Workbench& workbench,
                                 const experiment::ModelLoading& loading,
                                 std::optional<model::Profile>& profile) {
  workbench.plan_packed_copy(loading);
  if (workbench.write_packed_copy(loading)) {
    std::cerr << "packed copy written to " << loading.packed_copy.string() << '\n';
  }
  model::LanguageModel& opened = workbench.open(loading).model;
  model::LanguageModel& language_model = profile ? profile->watch(opened) : opened;
  introduce(language_model.info(), loading);
  return language_model;
}

void declare_model_name(OptionList& options, std::string& name) {
  options.add(name, {.name = "model_name_or_path",
                     .help = "Folder, .gguf file or hub name",
                     .is_required = true,
                     .shown = Shown::First,
                     .value = "MODEL"});
}

void declare_lines_output(OptionList& options, std::string& out) {
  options.add(out, {.name = "out",
                    .help = "File to write; - = standard output. An interrupted command goes on "
                            "where it was",
                    .fallback = "-",
                    .shown = Shown::First,
                    .value = "FILE"});
}

void declare_profile(OptionList& options, std::string& profile) {
  options.add(profile,
              {.name = "profile",
               .help = "File for a trace of the model's work, for chrome://tracing or Perfetto; "
                       "what took the time is told at the end",
               .value = "FILE"});
}

void declare_batches(OptionList& options,
                     int& batch_size,
                     bool& no_share_prefixes,
                     const std::string& things) {
  options.add(batch_size, {.name = "batch_size",
                           .help = things + " computed together; 0 = from free memory",
                           .fallback = "0",
                           .least = 0});
  options.add(no_share_prefixes, {.name = "no_share_prefixes",
                                  .help = "Compute everything in full, nothing in common"});
}

void tell_profile(std::optional<model::Profile>& profile) {
  const auto summary = profile ? profile->finish() : std::nullopt;
  if (!summary) return;
  for (const std::string& line : describe_profile(*summary, profile->trace())) {
    std::cerr << line << '\n';
  }
}

}  // namespace labelprobe::app
