#include "labelprobe/experiment/alignment.h"

#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"
#include "labelprobe/data/soft_labels.h"
#include "labelprobe/data/task_file.h"

namespace labelprobe::experiment {

namespace {

// Mean aggregate labels of the train splits, or, without them, the mean votes on the very examples.
void add_base_rate(analysis::AlignmentBuilder& builder,
                   const std::string& task,
                   data::DatasetOptions train) {
  if (train.splits.empty()) {
    builder.add_constant(analysis::mean_shares(builder.votes()),
                         "mean vote shares of the evaluated examples themselves (--train-splits "
                         "takes the train splits' mean labels)");
    return;
  }
  train.annotation_mode = data::AnnotationMode::Aggregate;
  train.debug_ann.reset();
  const data::Dataset dataset = data::load(task, train);
  if (dataset.label_set != builder.label_set()) {
    throw DataError(task + ": the train splits have other labels than the test splits");
  }
  builder.add_constant(analysis::mean_labels(dataset.examples, dataset.label_set),
                       fmt::format("mean aggregate labels of the {} examples of {}",
                                   dataset.examples.size(), fmt::join(train.splits, ", ")));
}

// Which examples count is said by the runs; these options would drop votes on them.
data::DatasetOptions whole_splits(data::DatasetOptions options) {
  options.debug_len.reset();
  options.keep_same_examples = false;
  options.keep_one_after_filtering = false;
  return options;
}

analysis::VotedSet set_of(const data::Dataset& dataset) {
  analysis::VotedSet set;
  set.label_set = dataset.label_set;
  for (const Example& example : dataset.examples) {
    set.example_ids.insert(example.example_id);
  }
  set.warnings = dataset.notes.warnings;
  return set;
}

// Shares of one label are a distribution where they sum to 1, as they do but for rounding.
bool make_distribution(std::vector<double>& shares) {
  constexpr double kRounding = 0.02;
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (std::abs(sum - 1.0) > kRounding) return false;
  for (double& share : shares) share /= sum;
  return true;
}

// Soft labels in place of votes; no votes where they are no shares.
analysis::VotedSet load_soft_votes(const std::string& task, data::DatasetOptions options) {
  options.annotation_mode = data::AnnotationMode::Aggregate;
  data::SoftSet soft = data::load_soft(task, options);
  analysis::VotedSet set = set_of(soft.dataset);
  std::size_t n_left_out = 0;
  for (const Example& example : soft.dataset.examples) {
    const auto shares = soft.shares.find(example.example_id);
    if (shares == soft.shares.end()) continue;
    if (set.label_set.is_multilabel() || make_distribution(shares->second)) {
      set.votes[example.example_id] = {std::move(shares->second), 0, example.labels};
    } else {
      ++n_left_out;
    }
  }
  if (n_left_out > 0) {
    set.warnings.push_back(fmt::format(
        "{}: {} of {} examples have shares that do not sum to 1, and count as without votes", task,
        n_left_out, soft.dataset.examples.size()));
  }
  return set;
}

}  // namespace

analysis::VotedSet load_votes_if_any(const std::string& task, data::DatasetOptions options) {
  options = whole_splits(std::move(options));
  if (data::task_info(task).has_annotators) {
    options.annotation_mode = data::AnnotationMode::Both;
    const data::Dataset dataset = data::load(task, options);
    analysis::VotedSet set = set_of(dataset);
    set.votes = analysis::count_votes(dataset.examples, dataset.label_set);
    return set;
  }
  if (data::may_have_shares(task)) return load_soft_votes(task, std::move(options));
  options.annotation_mode = data::AnnotationMode::Aggregate;
  return set_of(data::load(task, options));
}

analysis::VotedSet load_votes(const std::string& task, data::DatasetOptions options) {
  const bool has_annotators = data::task_info(task).has_annotators;
  analysis::VotedSet set;
  if (has_annotators || data::may_have_shares(task)) {
    set = load_votes_if_any(task, std::move(options));
    if (has_annotators || !set.votes.empty()) return set;
  }
  std::vector<std::string_view> known;
  for (const data::DatasetInfo& info : data::datasets()) {
    if (info.has_annotators) known.push_back(info.name);
  }
  throw ConfigError(fmt::format(
      "{}: expected a data set with several annotators per example, whose votes are what "
      "estimates are compared with; found one without (with annotators: {}, and "
      "task files with votes, or with shares between 0 and 1 as labels)",
      task, fmt::join(known, ", ")));
}

analysis::AlignmentTable align_runs(AlignmentRequest request, analysis::VotedSet votes) {
  using analysis::ModelState;
  request.options.calibrators =
      analysis::parse_calibrators(request.calibrators, votes.label_set.kind());
  analysis::AlignmentBuilder builder(data::task_info(request.task).name, std::move(votes),
                                     request.options);
  const LabelSet& label_set = builder.label_set();
  std::vector<std::string> warnings;
  const auto rows = analysis::estimate_rows(request.runs, request.answers, label_set, {}, warnings);
  for (analysis::NamedScores& file : request.scores) {
    file.estimates = analysis::read_scores(file.path, label_set);
  }
  analysis::check_calibration(request.calibration, rows);

  builder.choose_examples(rows, request.scores);
  builder.add_runs(rows, ModelState::Plain, request.calibration);
  for (const analysis::NamedScores& file : request.scores) builder.add_scores(file);
  builder.add_runs(rows, ModelState::Tuned, request.calibration);
  add_base_rate(builder, request.task, request.train);
  if (request.bootstrap) builder.add_differences(request.against, *request.bootstrap);
  analysis::AlignmentTable table = builder.finish();
  table.warnings.insert(table.warnings.end(), warnings.begin(), warnings.end());
  return table;
}

}  // namespace labelprobe::experiment
