#include "app/commands/alignment_builder.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "labelprobe/analysis/platt_scaling.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/text.h"

namespace labelprobe::app {

namespace {

using analysis::AlignmentRow;

std::string n_of(std::size_t n, std::size_t n_all) {
  return std::to_string(n) + " of " + std::to_string(n_all);
}

// How many of the examples fulfil a condition, and the first of them.
struct Counted {
  std::size_t n = 0;
  std::string first;
};

template <typename Map, typename Condition>
Counted count_ids(const Map& by_id, const Condition& holds) {
  Counted counted;
  for (const auto& [id, content] : by_id) {
    if (holds(id)) {
      counted.first = counted.n == 0 ? id : counted.first;
      ++counted.n;
    }
  }
  return counted;
}

std::string shortest(double number) {
  char text[32];
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, number, std::chars_format::general, 4);
  return {text, end};
}

std::string row_name(const AlignmentRow& row) {
  return row.method + (row.answer.empty() ? "" : " (" + row.answer + ")");
}

}  // namespace

VotedSet load_votes(const std::string& task, data::DatasetOptions options) {
  if (!data::dataset_info(task).has_annotators) {
    std::string known;
    for (const data::DatasetInfo& info : data::datasets()) {
      known += !info.has_annotators ? "" : (known.empty() ? "" : ", ") + std::string(info.name);
    }
    throw ConfigError(task +
                      ": expected a data set with several annotators per example, whose votes are "
                      "what estimates are compared with; found one without (with annotators: " +
                      known + ")");
  }
  options.annotation_mode = data::AnnotationMode::Both;
  // Which examples count is said by the runs; these would drop votes on them.
  options.debug_len.reset();
  options.keep_same_examples = false;
  options.keep_one_after_filtering = false;
  const data::Dataset dataset = data::load(task, options);
  VotedSet set;
  set.label_set = dataset.label_set;
  for (const Example& example : dataset.examples) {
    set.example_ids.insert(example.example_id);
  }
  set.votes = analysis::count_votes(dataset.examples, dataset.label_set);
  set.warnings = dataset.notes.warnings;
  return set;
}

AlignmentBuilder::AlignmentBuilder(std::string task,
                                   VotedSet set,
                                   std::optional<analysis::PaperTable> paper)
    : set_(std::move(set)) {
  table_.task = std::move(task);
  table_.kind = set_.label_set.kind();
  table_.n_labels = set_.label_set.size();
  table_.paper = paper;
  table_.warnings = set_.warnings;
  if (paper) {
    analysis::published_cell(*paper, table_.task, "");  // a set without a column is said at once
  }
}

void AlignmentBuilder::choose_examples(
    std::span<const EstimatedRow> rows,
    std::span<const std::pair<std::string, ProbsByExample>> scores) {
  std::set<std::string> chosen;
  std::set<const LoggedRun*> seen;
  const auto choose = [&](const std::string& source, const ProbsByExample& probs) {
    const Counted unknown =
        count_ids(probs, [&](const std::string& id) { return !set_.example_ids.contains(id); });
    if (unknown.n > 0 && unknown.n == probs.size()) {
      throw DataError(source + ": expected examples of " + table_.task +
                      "'s test splits (and id lists), found none: all " +
                      std::to_string(unknown.n) + " are unknown, the first '" + unknown.first +
                      "'; check --test-splits and --test-ids-filename");
    }
    if (unknown.n > 0) {
      table_.warnings.push_back(source + ": " + n_of(unknown.n, probs.size()) +
                                " examples are not in the test splits, the first '" +
                                unknown.first + "'; they are left out");
    }
    for (const auto& [id, of_example] : probs) {
      chosen.insert(id);
    }
  };
  for (const EstimatedRow& row : rows) {
    if (row.run && seen.insert(row.run).second) {
      choose(describe(*row.run), row.estimates.probs);
    }
  }
  const bool has_runs = !seen.empty();
  for (const auto& [path, probs] : scores) {
    std::set<std::string> before = chosen;
    choose(path, probs);
    if (has_runs) {
      chosen = std::move(before);
    }
  }
  const std::size_t n_known = static_cast<std::size_t>(
      std::count_if(chosen.begin(), chosen.end(),
                    [&](const std::string& id) { return set_.example_ids.contains(id); }));
  std::erase_if(set_.votes, [&](const auto& entry) { return !chosen.contains(entry.first); });
  table_.n_examples_with_votes = set_.votes.size();
  if (chosen.empty()) {
    throw DataError(table_.task +
                    ": expected estimates, found none: every item of the runs failed");
  }
  if (set_.votes.empty()) {
    throw DataError(table_.task + ": none of the " + std::to_string(n_known) +
                    " examples has an annotator's vote to compare with");
  }
  if (set_.votes.size() < n_known) {
    table_.warnings.push_back(n_of(n_known - set_.votes.size(), n_known) +
                              " examples have no annotator's vote and are left out");
  }
}

AlignmentRow& AlignmentBuilder::add_row(const std::string& method,
                                        const std::string& estimator,
                                        const ProbsByExample& probs) {
  ProbsByExample voted;
  for (const auto& [id, of_example] : probs) {
    if (set_.votes.contains(id)) {
      voted.emplace(id, of_example);
    }
  }
  AlignmentRow row;
  row.method = method;
  row.estimator = estimator;
  if (voted.empty()) {
    row.note = "has estimates for none of the examples";
  } else {
    row.alignment = analysis::align(method, voted, set_.votes, set_.label_set);
  }
  table_.rows.push_back(std::move(row));
  return table_.rows.back();
}

void AlignmentBuilder::add_run(const EstimatedRow& estimated) {
  const std::string estimator(estimated.info->name);
  const std::string method = analysis::method_title(estimator);
  if (!estimated.run) {
    AlignmentRow row;
    row.method = method;
    row.estimator = estimator;
    row.note = "needs a multi-label set";
    table_.rows.push_back(std::move(row));
  } else {
    AlignmentRow& row = add_row(method, estimator, estimated.estimates.probs);
    row.answer = describe(estimated.answer);
    row.run = describe(*estimated.run);
    row.n_items = estimated.estimates.n_items;
    row.n_failed = estimated.estimates.n_failed;
    row.n_answers_found = estimated.estimates.n_answers_found;
    row.mean_answer_mass = estimated.estimates.mean_answer_mass;
  }
  // The paper reads answers where they were generated: the other positions have no cell.
  if (table_.paper &&
      (!estimated.answer || *estimated.answer == analysis::AnswerPosition::Greedy)) {
    table_.rows.back().published = analysis::published_cell(*table_.paper, table_.task, estimator);
  }
}

void AlignmentBuilder::add_calibrated(const EstimatedRow& estimated,
                                      const LoggedRun& run,
                                      const analysis::Votes& votes) {
  analysis::EstimatorOptions options;
  options.answer = estimated.answer.value_or(options.answer);
  const std::string estimator(estimated.info->name);
  const analysis::Estimates fitting = estimate_run(estimator, run, set_.label_set, options);
  try {
    options.platt = analysis::fit_platt(fitting.platt_inputs, votes);
  } catch (const DataError& error) {  // the other rows are none the worse for it
    table_.warnings.push_back(describe(run) + ": " + estimated.name() +
                              " is not calibrated: " + error.what());
    return;
  }
  const Counted shared = count_ids(fitting.platt_inputs,
                                   [&](const std::string& id) { return set_.votes.contains(id); });
  if (shared.n > 0) {
    table_.warnings.push_back(describe(run) + ": " + n_of(shared.n, fitting.platt_inputs.size()) +
                              " examples that " + estimated.name() +
                              " is calibrated on are also evaluated, the first '" + shared.first +
                              "'; use another split");
  }
  EstimatedRow calibrated = estimated;
  calibrated.estimates = estimate_run(estimator, *estimated.run, set_.label_set, options);
  add_run(calibrated);
  AlignmentRow& row = table_.rows.back();
  row.method += ", Platt";
  row.platt = options.platt;
  row.published.reset();  // the paper calibrates nothing
  row.note = "Platt scaling with weight " + shortest(options.platt.weight) + " and bias " +
             shortest(options.platt.bias) + ", fitted on " +
             std::to_string(fitting.platt_inputs.size()) + " examples of " + describe(run);
}

void AlignmentBuilder::add_scores(const std::string& name,
                                  const std::filesystem::path& path,
                                  const ProbsByExample& probs) {
  if (set_.label_set.kind() == LabelKind::SingleLabel) {
    const Counted unnormalised = count_ids(probs, [&](const std::string& id) {
      double sum = 0.0;
      for (const double p : probs.at(id)) {
        sum += p;
      }
      return std::abs(sum - 1.0) > 1e-3;
    });
    if (unnormalised.n > 0) {
      table_.warnings.push_back(path.string() + ": the probabilities of " +
                                n_of(unnormalised.n, probs.size()) +
                                " examples do not sum to 1, the first '" + unnormalised.first +
                                "'; they are taken as they are");
    }
  }
  const Counted missing =
      count_ids(set_.votes, [&](const std::string& id) { return !probs.contains(id); });
  if (missing.n > 0) {
    table_.warnings.push_back(path.string() + ": has no probabilities for " +
                              n_of(missing.n, set_.votes.size()) + " examples, the first '" +
                              missing.first + "'");
  }
  AlignmentRow& row = add_row(name, "scores", probs);
  row.run = path.string();
  const std::string_view method = analysis::supervised_method(name);
  if (table_.paper && !method.empty()) {
    row.published = analysis::published_cell(*table_.paper, table_.task, method);
  }
}

void AlignmentBuilder::add_constant(const std::vector<double>& rates, const std::string& note) {
  add_row("Base rate", "constant", analysis::constant_estimates(rates, set_.votes)).note = note;
}

// A row by its number from 1, or by its name in any case, with or without the answer position.
std::size_t AlignmentBuilder::find_row(const std::string& name) const {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < table_.rows.size(); ++i) {
    const AlignmentRow& row = table_.rows[i];
    known.push_back(row_name(row));
    const std::string wanted = ascii_lower(name);
    if (wanted == ascii_lower(row_name(row)) || wanted == ascii_lower(row.method) ||
        wanted == ascii_lower(row.estimator) || wanted == std::to_string(i + 1)) {
      if (!row.alignment) {
        throw ConfigError("--against: expected a row with numbers, found " + row_name(row) +
                          ", which has none");
      }
      return i;
    }
  }
  throw ConfigError("--against: " + unknown_choice("row", name, known));
}

void AlignmentBuilder::add_differences(const std::string& against,
                                       int n_resamples,
                                       std::int64_t seed,
                                       double level) {
  const std::size_t base = against.empty() ? 0 : find_row(against);
  table_.n_resamples = n_resamples;
  table_.seed = seed;
  table_.level = level;
  for (std::size_t i = 0; i < table_.rows.size(); ++i) {
    if (i != base && table_.rows[i].alignment && table_.rows[base].alignment) {
      table_.differences.push_back(
          {i, base,
           analysis::paired_bootstrap(*table_.rows[i].alignment, *table_.rows[base].alignment,
                                      n_resamples, seed, level)});
    }
  }
}

analysis::AlignmentTable AlignmentBuilder::finish() {
  std::size_t least = table_.n_examples_with_votes;
  std::string name;
  for (const AlignmentRow& row : table_.rows) {
    if (row.alignment && row.alignment->examples.size() < least) {
      least = row.alignment->examples.size();
      name = row_name(row);
    }
  }
  if (!name.empty()) {
    table_.warnings.push_back("the rows rest on different examples (" + name + " on " +
                              n_of(least, table_.n_examples_with_votes) +
                              "); --bootstrap compares them on those they share");
  }
  return std::move(table_);
}

}  // namespace labelprobe::app
