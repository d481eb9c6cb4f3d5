#include "labelprobe/experiment/alignment.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/scores_file.h"
#include "labelprobe/core/error.h"
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

}  // namespace

analysis::VotedSet load_votes(const std::string& task, data::DatasetOptions options) {
  if (!data::task_info(task).has_annotators) {
    std::vector<std::string_view> known;
    for (const data::DatasetInfo& info : data::datasets()) {
      if (info.has_annotators) known.push_back(info.name);
    }
    throw ConfigError(fmt::format(
        "{}: expected a data set with several annotators per example, whose votes are what "
        "estimates are compared with; found one without (with annotators: {}, and "
        "task files with votes)",
        task, fmt::join(known, ", ")));
  }
  options.annotation_mode = data::AnnotationMode::Both;
  // Which examples count is said by the runs; these would drop votes on them.
  options.debug_len.reset();
  options.keep_same_examples = false;
  options.keep_one_after_filtering = false;
  const data::Dataset dataset = data::load(task, options);
  analysis::VotedSet set;
  set.label_set = dataset.label_set;
  for (const Example& example : dataset.examples) {
    set.example_ids.insert(example.example_id);
  }
  set.votes = analysis::count_votes(dataset.examples, dataset.label_set);
  set.warnings = dataset.notes.warnings;
  return set;
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
