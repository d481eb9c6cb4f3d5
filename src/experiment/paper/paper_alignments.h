// Tables 1 and 5: the runs of each model and data set held against votes.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/analysis/table.h"
#include "labelprobe/experiment/paper.h"

namespace labelprobe::experiment {

// A model and a data set against the votes.
struct PaperAlignment {
  std::size_t model = 0;
  std::string task;
  std::optional<analysis::AlignmentTable> table;
  std::filesystem::path file;  // where it was written as JSON; empty without a table
  std::string missing;         // why there is no table
};

// Where a run of the request's is, or why it is not there; null if no part needs it.
const PaperRun* find_paper_run(const PaperRequest& request,
                               std::size_t model,
                               std::string_view kind,
                               std::string_view task);

// Why a run is not there, in words that are the same for all runs that lack the same; empty if it
// is.
std::string reason_of(const PaperRun& run);

// Scores of linear probes, by model and data set; or why there are none.
struct ProbeScores {
  std::filesystem::path file;
  std::string missing;
};
using AllProbeScores = std::map<std::pair<std::size_t, std::string>, ProbeScores>;

// For every model, all sets that Tables 1 and 5 have and the request takes.
std::vector<PaperAlignment> align_paper_runs(
    const PaperRequest& request,
    const AllProbeScores& probes,
    const std::function<void(const std::string&)>& progress);

// The numbers of `table1` or `table5`: the published ones and those of the alignments.
std::vector<analysis::PaperNumber> alignment_numbers(const PaperRequest& request,
                                                     std::string_view table,
                                                     const std::vector<PaperAlignment>& alignments,
                                                     const AllProbeScores& probes);

}  // namespace labelprobe::experiment
