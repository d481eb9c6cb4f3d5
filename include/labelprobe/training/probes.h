// Linear probes (Table 2 of the paper): can the labels be read off a model's hidden state where it
// is about to write the first one? Logistic regressions on the states of a run are trained on four
// fifths of its items, once on the gold labels and once on those that the model itself predicted,
// and measured on the rest. Reads logs and states, never a model. Called by `labelprobe probes`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/distributions.h"
#include "labelprobe/analysis/table.h"
#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/states_reader.h"

namespace labelprobe::training {

enum class ProbeSolver {
  Saga,   // the published one: no penalty, stopped by its own rule
  Exact,  // with an L2 penalty, to the minimum
};
inline constexpr auto kProbeSolvers =
    enum_names<ProbeSolver>("solver", {{ProbeSolver::Saga, "saga"}, {ProbeSolver::Exact, "exact"}});

struct ProbeSettings {
  std::int64_t layer = -1;                   // as record/states_reader.h counts
  std::optional<std::int64_t> n_components;  // unset: the published max(features / 4, 512)
  ProbeSolver solver = ProbeSolver::Saga;
  // What SAGA needs.
  std::uint32_t seed = 0;  // of the order of rows, which the published program leaves to chance
  std::int64_t max_epochs = 1000;
  double tolerance =
      1e-4;  // largest change of a weight in an epoch, relative to the largest weight
  // The exact solver's penalty: l2 / 2 * squared norm of the weights, beside the sum of losses.
  double l2 = 1.0;
};

// What is read and written for one set of probes. Runs without an index are meant to be
// experiment 0, as the published program does.
struct ProbeRequest {
  record::RunName run;
  std::filesystem::path states;           // empty: those in the run's folder
  std::optional<record::RunName> scored;  // a run whose states get scores
  std::filesystem::path scored_states;    // likewise
  std::filesystem::path output_folder;    // gets a copy of all files; empty: none does
};

// Items with a state before their first label, and what is known of them.
struct ProbeItems {
  LabelSet label_set;
  record::ItemStates states;  // of n items, none of them all zeros
  std::vector<Labels> gold;   // [n]
  // [n], what the model predicted; nothing: a single-label item without an answer.
  std::vector<std::optional<Labels>> predicted;
  std::vector<std::string> answers;  // [n], the texts
  std::size_t n_without_state = 0;   // items of the run that are left out
};

// All that is read, checked and divided; what is left to do is to compute.
struct ProbePlan {
  std::string run;  // for people: "<folder>, experiment 0"
  ProbeItems items;
  std::vector<int> train;  // positions in items, in scikit-learn's order of seed 42
  std::vector<int> test;
  std::int64_t n_components = 0;
  std::optional<record::ItemStates> scored;
};

// Throws ConfigError (option, expected, found) for settings that the items do not allow, and
// DataError for files that are missing or do not fit together.
ProbePlan plan_probes(const ProbeRequest& request, const ProbeSettings& settings);

// The files that write_probe_files() writes.
std::vector<std::filesystem::path> probe_files(const ProbeRequest& request);

// A probed item of the test part.
struct ProbedItem {
  std::string key;
  Labels found;  // by the probes of the gold labels
  Labels gold;
  std::optional<Labels> predicted;  // by the model itself
  std::string answer;
};

// The probes themselves: scales, components and weights.
struct ProbeModel;

struct ProbeOutcome {
  std::string run;
  LabelSet label_set;
  // By the published names. Metrics over no items are missing.
  std::map<std::string, double> metrics;
  std::map<std::string, double> model_metrics;
  std::vector<ProbedItem> items;
  // The probability of each label for every scored item, by the probes of the gold labels.
  std::optional<analysis::Distributions> scores;
  std::shared_ptr<const ProbeModel> model;
  std::size_t n_train = 0;
  std::int64_t n_components = 0;
  std::size_t n_regressions = 0;
  std::size_t n_converged = 0;
  std::vector<std::string> notes;  // sentences, for people
};

// Told what is being done: "singular vectors of 8000 x 8192", "epoch 12, 14 regressions".
using ProbeProgress = std::function<void(const std::string& what)>;

ProbeOutcome train_probes(const ProbePlan& plan,
                          const ProbeSettings& settings,
                          const ProbeProgress& progress);

// metrics.yml, metrics_model.yml, indexed_metrics.yml and model.safetensors below
// <run>/linear_probes and in the output folder, where the scores go as eval_scores.yml;
// <scored run>/linear_probes/scores.yml. Files that are there are replaced. Throws ConfigError if
// one cannot be written.
void write_probe_files(const ProbeRequest& request,
                       const ProbeSettings& settings,
                       const ProbeOutcome& outcome);

// Table 2: per run and metric the model itself, probes of gold labels, probes of its predictions,
// and these without the label that its answer names first.
void write_probe_table(std::ostream& out,
                       std::span<const ProbeOutcome> outcomes,
                       analysis::TableFormat format);

}  // namespace labelprobe::training
