// From examples to prompts: one list of queries per run, all built before anything runs.
// Published as `baseline` prompting (paper, section 3); the other distributions join as further
// plans.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/prompt/sampler.h"
#include "labelprobe/prompt/template.h"

namespace labelprobe::prompt {

// One prompt and what it asks about.
struct Query {
  std::string id;          // "<example id>__<annotator>"
  std::string text;        // the whole prompt
  std::string query_text;  // the example's own text
  Labels gold;
  std::vector<std::string> demonstration_ids;  // example ids (without annotator) in prompt order
};

enum class DemonstrationMode {
  Shared,  // the same demonstrations for every query (of the same annotator)
  Fresh,   // drawn anew for every query. Query i (from 0) is seeded with output i of the generator
           // that the run's seed seeds: random.seed(seed), then one random.getrandbits(32) a query.
};

struct PlanOptions {
  Templates templates;
  SamplingStrategy sampling;
  int n_shots = 0;
  std::int64_t seed = 0;
  DemonstrationMode demonstrations = DemonstrationMode::Shared;
};

// Plans by name ("baseline"), one line each, in the order --help shows them.
struct PlanInfo {
  std::string name;
  std::string summary;
};
std::vector<PlanInfo> plans();

// Completion prompts: strip(system + instruction + demonstrations + query), one per example, in
// order.
std::vector<Query> baseline(std::span<const Example> train,
                            std::span<const Example> queries,
                            const LabelSet& label_set,
                            const PlanOptions& options);

}  // namespace labelprobe::prompt
