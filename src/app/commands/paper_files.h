// The files of `labelprobe paper`: numbers and tables, data and drawings of figures, and the
// report.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/analysis/report_page.h"
#include "labelprobe/experiment/paper.h"

namespace labelprobe::app {

struct PaperFiles {
  std::filesystem::path folder;
  std::string python;         // that draws; empty = python3
  bool is_data_only = false;  // nothing is drawn
  std::function<void(const std::string&)> progress;
};

// A prompt as Table 3 shows it: its heading, and its text.
using PaperPrompt = std::pair<std::string, std::string>;

// runs.csv of the folder: which logs the numbers come from, and why others are not there.
void write_paper_runs(const PaperFiles& files, const experiment::PaperRequest& request);

// What a page says of each part, in their order; figures are drawn for it.
//   not_drawn  gets a sentence for each figure whose data are there and whose picture is not
std::vector<analysis::ReportSection> write_paper_parts(
    const PaperFiles& files,
    const std::vector<const experiment::PaperPart*>& parts,
    const experiment::Paper& paper,
    const std::vector<PaperPrompt>& prompts,
    std::vector<std::string>& not_drawn);

// report.html of the folder.
std::filesystem::path write_paper_report(const PaperFiles& files,
                                         analysis::ReportPage page,
                                         std::vector<analysis::ReportSection> sections);

}  // namespace labelprobe::app
