// Gathers what a report of runs shows: beside their logs the votes on their examples, tables
// against them, and the prompts, made anew from the runs' own settings.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/analysis/inspections.h"
#include "labelprobe/analysis/report_page.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/run_origin.h"

namespace labelprobe::experiment {

// A finished run, and the settings that its log tells.
struct AskedRun {
  record::LoggedRun log;  // of the aggregate's items
  std::vector<record::ItemRecord> annotator_items;
  record::RunOrigin origin;
  std::optional<Settings> settings;
  std::string why_no_settings;  // a sentence, where they are unset
};

// The data set whose logs a folder is among, LOG_ROOT/<task>/..; empty if none of its names is one.
std::string task_of_folder(const std::filesystem::path& folder);

// The lines of `labelprobe inspect`, by log key.
struct InspectionFile {
  std::filesystem::path path;
  std::map<std::string, analysis::SeenItem> items;
};

// What cannot be had (data that are not here, other labels, prompts that came out otherwise) is
// left out and noted with its reason; see ReportedRun::notes. What was seen inside the model
// belongs to the items of that key which have the same answer with as many label steps; throws
// DataError for a file of which no run has an item.
//   has_prompts  whether prompts are wanted at all
analysis::ReportPage make_report(std::vector<AskedRun> runs,
                                 bool has_prompts,
                                 const std::vector<InspectionFile>& inspections = {});

}  // namespace labelprobe::experiment
