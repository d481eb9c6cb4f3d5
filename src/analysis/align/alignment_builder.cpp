#include "labelprobe/analysis/alignment_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/analysis/platt_scaling.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

#include "analysis/align/calibration.h"
#include "analysis/align/counted.h"
#include "analysis/report/table_lines.h"

namespace labelprobe::analysis {

namespace {

void add_note(AlignmentRow& row, const std::string& sentence) {
  row.note += (row.note.empty() ? "" : "; ") + sentence;
}

// A row whose answers were mostly not found shows what stands in for them; one of which none was
// found shows nothing else, and has no numbers. Answers read at a fixed position are always there:
// for these the share only says whether the likeliest token begins an answer.
void mark_found(AlignmentRow& row) {
  const std::size_t n_items = row.n_items.value_or(0);
  if (!row.n_answers_found || n_items == 0) return;
  const double share = static_cast<double>(*row.n_answers_found) / static_cast<double>(n_items);
  row.is_doubtful = share < kFoundEnough;
  const bool is_generated = row.answer.empty() || row.answer == "greedy";
  if (share == 0.0 && is_generated) {
    row.alignment.reset();
    row.by_label.clear();
    add_note(row, fmt::format("no numbers: none of {} answers was found", n_items));
  }
}

}  // namespace

AlignmentBuilder::AlignmentBuilder(const std::string& task,
                                   VotedSet set,
                                   const AlignmentOptions& options)
    : set_(std::move(set)), options_(options) {
  table_.task = task;
  table_.kind = set_.label_set.kind();
  table_.labels = set_.label_set.names();
  table_.paper = options.paper;
  table_.warnings = set_.warnings;
  if (options.paper) published_cell(*options.paper, task, "");  // says at once if there is none
}

AlignmentRow& AlignmentBuilder::add_row(const std::string& method, const Distributions& estimates) {
  Distributions voted{estimates.estimator, {}};
  for (const auto& [id, of_example] : estimates.probs) {
    if (set_.votes.contains(id)) voted.probs.emplace(id, of_example);
  }
  AlignmentRow& row = table_.rows.emplace_back();
  row.method = method;
  row.estimator = estimates.estimator;
  if (voted.probs.empty()) {
    row.note = "has estimates for none of the examples";
    return row;
  }
  row.alignment = align(voted, set_.votes, set_.label_set);
  if (options_.has_labels) row.by_label = align_labels(voted, set_.votes, set_.label_set);
  return row;
}

void AlignmentBuilder::add_answered(const Estimates& estimates, AlignmentRow& row) const {
  if (!row.alignment) return;
  const std::vector<std::string>& ids = row.alignment->example_ids;
  const auto is_unanswered = [&](const std::string& id) {
    return estimates.unanswered.contains(id);
  };
  const auto n_without =
      static_cast<std::size_t>(std::count_if(ids.begin(), ids.end(), is_unanswered));
  row.n_without_answer = n_without;
  if (n_without == 0 || n_without == ids.size()) return;
  Distributions answered{estimates.estimator, {}};
  for (const std::string& id : ids) {
    if (!is_unanswered(id)) answered.probs.emplace(id, estimates.probs.at(id));
  }
  row.answered = align(answered, set_.votes, set_.label_set);
}

void AlignmentBuilder::add_validity(const std::string& run,
                                    std::span<const record::ItemRecord> items) {
  const bool is_known = std::any_of(table_.validity.begin(), table_.validity.end(),
                                    [&](const RunValidity& known) { return known.run == run; });
  if (!is_known) table_.validity.push_back({run, measure_validity(items)});
}

void AlignmentBuilder::add_run(const EstimatedRow& estimated) {
  const std::string method(estimated.estimator->title);
  if (!estimated.run) {
    AlignmentRow& row = table_.rows.emplace_back();
    row.method = method;
    row.estimator = estimated.estimator->name;
    row.note = "needs a multi-label set";
  } else {
    AlignmentRow& row = add_row(method, estimated.estimates);
    row.answer = describe(estimated.answer);
    row.run = describe(*estimated.run);
    add_validity(row.run, estimated.run->items);
    row.n_items = estimated.estimates.n_items;
    row.n_failed = estimated.estimates.n_failed;
    row.n_answers_found = estimated.estimates.n_answers_found;
    row.mean_answer_mass = estimated.estimates.mean_answer_mass;
    mark_found(row);
    if (!estimated.estimator->has_positions()) add_answered(estimated.estimates, row);
  }
  // The paper reads answers where they were generated: the other positions have no cell.
  if (table_.paper && estimated.answer.value_or(AnswerPosition::Greedy) == AnswerPosition::Greedy) {
    table_.rows.back().published =
        published_cell(*table_.paper, table_.task, estimated.estimator->name);
  }
}

void AlignmentBuilder::add_calibrated(const EstimatedRow& estimated,
                                      const RunLog& run,
                                      const Votes& votes) {
  EstimatorOptions options;
  options.answer = estimated.answer.value_or(options.answer);
  const Estimates fitting = estimate_run(*estimated.estimator, run, set_.label_set, options);
  try {
    options.platt = fit_platt(fitting.platt_inputs, votes);
  } catch (const DataError& error) {  // the other rows are none the worse for it
    table_.warnings.push_back(
        fmt::format("{}: {} is not calibrated: {}", describe(run), estimated.name(), error.what()));
    return;
  }
  const Counted shared = count_ids(fitting.platt_inputs,
                                   [&](const std::string& id) { return set_.votes.contains(id); });
  if (shared.n > 0) {
    table_.warnings.push_back(fmt::format(
        "{}: {} examples that {} is calibrated on are also evaluated, the first '{}'; use another "
        "split",
        describe(run), n_of(shared.n, fitting.platt_inputs.size()), estimated.name(),
        shared.first));
  }
  EstimatedRow calibrated = estimated;
  calibrated.estimates =
      estimate_run(*estimated.estimator, *estimated.run, set_.label_set, options);
  add_run(calibrated);
  AlignmentRow& row = table_.rows.back();
  row.method += ", Platt";
  row.platt = options.platt;
  row.published.reset();  // the paper calibrates nothing
  add_note(row, fmt::format(
                    "Platt scaling with weight {:.4g} and bias {:.4g}, fitted on {} examples of {}",
                    options.platt.weight, options.platt.bias, fitting.platt_inputs.size(),
                    describe(run)));
}

void AlignmentBuilder::add_cross_fitted(const std::string& method,
                                        const Distributions& estimates,
                                        const std::function<void(const Distributions&)>& add) {
  for (const auto& [calibrator, n_folds] : options_.calibrators) {
    try {
      const FittedCalibration fitted = fit_calibration(
          *calibrator, {estimates, set_.votes, nullptr, set_.label_set, {}}, {n_folds, 0});
      Distributions calibrated = apply_calibration(fitted, estimates, set_.label_set, method);
      for (const std::string& warning : fitted.warnings) {
        table_.warnings.push_back(fmt::format("{}: {}", method, warning));
      }
      add(calibrated);
    } catch (const DataError& error) {  // the other rows are none the worse for it
      table_.warnings.push_back(fmt::format("{} is not calibrated: {}", method, error.what()));
      continue;
    }
    AlignmentRow& row = table_.rows.back();
    row.method += fmt::format("+{}", calibrator->name);
    row.estimator = fmt::format("{}+{}", estimates.estimator, calibrator->name);
    row.published.reset();  // the paper calibrates nothing
    add_note(row, n_folds == 0
                      ? fmt::format("{}, without votes", calibrator->title)
                      : fmt::format("{}, fitted on the other {} of {} folds of these examples",
                                    calibrator->title, n_folds - 1, n_folds));
  }
}

void AlignmentBuilder::add_runs(std::span<const EstimatedRow> rows,
                                ModelState state,
                                const Calibration& calibration) {
  for (const EstimatedRow& row : rows) {
    if (row.estimator->model_state != state) continue;
    add_run(row);
    if (const RunLog* run = find_calibration(calibration, row)) {
      add_calibrated(row, *run, calibration.votes);
    }
    if (!row.run) continue;
    add_cross_fitted(row.name(), row.estimates, [&](const Distributions& calibrated) {
      EstimatedRow changed = row;
      changed.estimates.probs = calibrated.probs;
      add_run(changed);
    });
  }
}

void AlignmentBuilder::add_scores(const NamedScores& scores) {
  const LabelNumbers& probs = scores.estimates.probs;
  const std::string path = scores.path.string();
  if (set_.label_set.kind() == LabelKind::SingleLabel) {
    const Counted unnormalised = count_ids(probs, [&](const std::string& id) {
      double sum = 0.0;
      for (const double p : probs.at(id)) sum += p;
      return std::abs(sum - 1.0) > 1e-3;
    });
    if (unnormalised.n > 0) {
      table_.warnings.push_back(fmt::format(
          "{}: the probabilities of {} examples do not sum to 1, the first '{}'; they are taken as "
          "they are",
          path, n_of(unnormalised.n, probs.size()), unnormalised.first));
    }
  }
  const Counted missing =
      count_ids(set_.votes, [&](const std::string& id) { return !probs.contains(id); });
  if (missing.n > 0) {
    table_.warnings.push_back(
        fmt::format("{}: has no probabilities for {} examples, the first '{}'", path,
                    n_of(missing.n, set_.votes.size()), missing.first));
  }
  AlignmentRow& row = add_row(scores.name, scores.estimates);
  row.run = path;
  const std::string_view method = supervised_method(scores.name);
  if (table_.paper && !method.empty()) {
    row.published = published_cell(*table_.paper, table_.task, method);
  }
  add_cross_fitted(scores.name, scores.estimates, [&](const Distributions& calibrated) {
    add_row(scores.name, calibrated).run = path;
  });
}

void AlignmentBuilder::add_constant(const std::vector<double>& rates, const std::string& note) {
  add_row("Base rate", constant_estimates(rates, set_.votes)).note = note;
}

std::size_t AlignmentBuilder::find_row(const std::string& name) const {
  const std::string wanted = ascii_lower(name);
  std::vector<std::string> known;
  for (std::size_t i = 0; i < table_.rows.size(); ++i) {
    const AlignmentRow& row = table_.rows[i];
    known.push_back(name_of(row));
    if (wanted != ascii_lower(known.back()) && wanted != ascii_lower(row.method) &&
        wanted != ascii_lower(row.estimator) && wanted != std::to_string(i + 1)) {
      continue;
    }
    if (!row.alignment) {
      throw ConfigError("--against: expected a row with numbers, found " + name_of(row) +
                        ", which has none");
    }
    return i;
  }
  throw ConfigError("--against: " + unknown_choice("row", name, known));
}

void AlignmentBuilder::add_differences(const std::string& against,
                                       const BootstrapOptions& options) {
  const std::size_t base = against.empty() ? 0 : find_row(against);
  const AlignmentRow& other = table_.rows.at(base);
  table_.bootstrap = options;
  for (std::size_t i = 0; i < table_.rows.size(); ++i) {
    const AlignmentRow& row = table_.rows[i];
    if (i == base || !row.alignment || !other.alignment) continue;
    auto difference = paired_bootstrap(*row.alignment, *other.alignment, options);
    if (!difference) {
      throw DataError(fmt::format(
          "difference between '{}' and '{}': expected examples that both estimate, found none",
          name_of(row), name_of(other)));
    }
    table_.differences.push_back({i, base, std::move(*difference)});
  }
}

AlignmentTable AlignmentBuilder::finish() {
  std::size_t least = table_.n_examples_with_votes;
  std::string name;
  for (const AlignmentRow& row : table_.rows) {
    if (row.alignment && row.alignment->example_ids.size() < least) {
      least = row.alignment->example_ids.size();
      name = name_of(row);
    }
  }
  if (!name.empty()) {
    table_.warnings.push_back(fmt::format(
        "the rows rest on different examples ({} on {}); --bootstrap compares them on those they "
        "share",
        name, n_of(least, table_.n_examples_with_votes)));
  }
  return std::move(table_);
}

}  // namespace labelprobe::analysis
