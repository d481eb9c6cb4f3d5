// Table 2: probes on the hidden states of each model and data set, and their scores for Tables 1
// and 5.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "experiment/paper/paper_alignments.h"

namespace labelprobe::experiment {

// What probes of a model and a data set found.
struct PaperProbes {
  std::map<std::string, double> measures;  // as measures_of("table2") calls them
  std::string note;                        // of one's own number of components
  std::string missing;                     // why there are none
};
using AllPaperProbes = std::map<std::pair<std::size_t, std::string>, PaperProbes>;

// For every `steps` run of a set that Table 2 has. Probes whose files fit the runs are read; others
// are trained.
AllPaperProbes train_paper_probes(const PaperRequest& request,
                                  const std::function<void(const std::string&)>& progress);

// Where the scores of those are that scored another run.
AllProbeScores probe_scores(const PaperRequest& request, const AllPaperProbes& probes);

}  // namespace labelprobe::experiment
