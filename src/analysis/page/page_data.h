// The data inside of a report's page, which its script and other programs read.
#pragma once

#include <string>

#include "labelprobe/analysis/report_page.h"

namespace labelprobe::analysis {

// One JSON object:
//   format  1
//   votes   [{"task", "labels", "examples", "of": [[number of annotators, share of each label..]]}]
//   runs    [{"name", "task", "plan", "model", "form", "words", "label_lists", "lines", "n_shared",
//             "n_items", "items", "examples", "estimates", "measures", "votes"}]
// A run's `lines` are those of its prompts, each once; an item's `prompt` lists them by number, and
// all prompts begin with the same `n_shared` ones. Numbers per label are lists that begin with the
// number of the labels' list in `label_lists`. `estimates` are [{"title", "of"}] and `measures`
// [{"method", "metric", "of"}], where `of` has numbers for each of `examples` or null; the run's
// `votes` is a place in the outer list, or null. Items have what their log entries have
// (record/fields.h), but probabilities in place of logits; those of single annotators name them as
// `annotator`. An item's `inside` is what inside_data() says.
std::string page_data(const ReportPage& page);

}  // namespace labelprobe::analysis
