#include "labelprobe/experiment/report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/analysis/estimated_rows.h"
#include "labelprobe/analysis/run_items.h"
#include "labelprobe/core/error.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/experiment/alignment.h"
#include "labelprobe/experiment/preparation.h"

#include "experiment/report/remade_prompts.h"

namespace labelprobe::experiment {

namespace {

using analysis::AnswerPosition;
using analysis::ReportedRun;
using analysis::RunLog;

// "expected ..." as the end of a sentence.
std::string reason(const Error& error) {
  std::string text = error.what();
  if (!text.ends_with('.')) text += '.';
  return text;
}

// The labels of the run's data set, and the votes where it has annotators.
analysis::VotedSet load_set(const Settings& settings, std::vector<std::string>& notes) {
  try {
    return load_votes(settings.task, settings.test);
  } catch (const Error& error) {
    notes.push_back("There are no votes: " + reason(error));
  }
  data::DatasetOptions of_test = settings.test;
  of_test.annotation_mode = data::AnnotationMode::Aggregate;
  analysis::VotedSet set;
  set.label_set = data::load(settings.task, of_test).label_set;
  return set;
}

// Where the answers of unary and binary items can be read; others are read in one way.
std::vector<AnswerPosition> positions_of(const record::LoggedRun& log) {
  std::vector<AnswerPosition> positions = {AnswerPosition::Greedy};
  const auto add = [&](AnswerPosition position, auto record::ItemRecord::*reading) {
    const bool is_there =
        std::any_of(log.items.begin(), log.items.end(),
                    [&](const record::ItemRecord& item) { return (item.*reading).has_value(); });
    if (is_there) positions.push_back(position);
  };
  add(AnswerPosition::First, &record::ItemRecord::first_answer);
  add(AnswerPosition::Healed, &record::ItemRecord::healed_answer);
  return positions;
}

bool is_seen_item(const record::ItemRecord& item, const analysis::SeenItem& seen) {
  return !item.failure && item.outs == seen.answer && item.label_steps.size() == seen.steps.size();
}

// Puts reports together run by run; tables come last, for runs of the same votes share one.
class Gatherer {
 public:
  explicit Gatherer(bool has_prompts) : has_prompts_(has_prompts) {}

  void add(AskedRun asked) {
    ReportedRun& run = page_.runs.emplace_back();
    run.log = std::move(asked.log);
    run.annotator_items = std::move(asked.annotator_items);
    run.origin = std::move(asked.origin);
    run.validity = analysis::measure_validity(run.log.items);
    if (!asked.settings) {
      run.notes.push_back("Votes and prompts are left out: " + asked.why_no_settings);
      return;
    }
    run.task = data::task_info(asked.settings->task).name;
    add_votes(*asked.settings, run);
    if (has_prompts_) add_prompts(*asked.settings, run);
  }

  analysis::ReportPage finish() {
    for (Group& group : groups_) add_table(group);
    return std::move(page_);
  }

  void add_inspections(const InspectionFile& file) {
    std::size_t n_found = 0;
    for (ReportedRun& run : page_.runs) {
      for (const record::ItemRecord& item : run.log.items) {
        const auto found = file.items.find(item.key);
        if (found == file.items.end() || !is_seen_item(item, found->second)) continue;
        run.inside[item.key] = found->second;
        ++n_found;
      }
    }
    if (n_found > 0) return;
    throw DataError(fmt::format(
        "{}: expected items of the runs, with their answers; found none among its {} items. It "
        "has to be made with the model and the settings of a run",
        file.path.string(), file.items.size()));
  }

 private:
  // Runs that the same votes are held against.
  struct Group {
    analysis::VotedSet set;
    data::DatasetOptions train;
    std::size_t votes = 0;  // place in ReportPage::votes
    std::vector<RunLog> logs;
    std::vector<AnswerPosition> answers;
  };

  void add_votes(const Settings& settings, ReportedRun& run) {
    try {
      Group& group = group_of(load_set(settings, run.notes), settings);
      RunLog log{run.log, analysis::ModelState::Plain};
      record::check_labels(log, settings.task, group.set.label_set);
      run.votes = group.votes;
      add_estimates(std::move(log), group, run);
    } catch (const Error& error) {
      run.notes.push_back("Estimates per label are left out: " + reason(error));
    }
  }

  Group& group_of(analysis::VotedSet set, const Settings& settings) {
    for (Group& group : groups_) {
      if (page_.votes[group.votes].task == settings.task && group.set.label_set == set.label_set &&
          group.set.example_ids == set.example_ids) {
        return group;
      }
    }
    page_.votes.push_back({settings.task, set.label_set, set.votes});
    groups_.push_back({std::move(set), settings.train, page_.votes.size() - 1, {}, {}});
    return groups_.back();
  }

  void add_estimates(RunLog log, Group& group, ReportedRun& run) {
    const std::vector<AnswerPosition> answers = positions_of(log);
    std::vector<std::string> warnings;
    for (analysis::EstimatedRow& row :
         analysis::estimate_rows(std::span(&log, 1), answers, group.set.label_set, {}, warnings)) {
      if (row.run) run.estimates.push_back({row.name(), std::move(row.estimates.probs)});
    }
    if (group.set.votes.empty()) {
      run.notes.insert(run.notes.end(), warnings.begin(), warnings.end());
      return;  // else the table says them
    }
    // A table's positions are those that all its runs with words have.
    if (analysis::item_form_of(log).asks_about_labels()) {
      std::erase_if(group.answers, [&](AnswerPosition position) {
        return std::find(answers.begin(), answers.end(), position) == answers.end();
      });
      if (group.answers.empty()) group.answers = answers;
    }
    group.logs.push_back(std::move(log));
  }

  void add_prompts(const Settings& settings, ReportedRun& run) {
    try {
      std::vector<const record::ItemRecord*> items;
      for (const record::ItemRecord& item : run.log.items) items.push_back(&item);
      for (const record::ItemRecord& item : run.annotator_items) items.push_back(&item);
      RemadePrompts made = remake_prompts(settings, items, run.origin.provenance);
      run.prompts = std::move(made.texts);
      run.notes.insert(run.notes.end(), made.notes.begin(), made.notes.end());
    } catch (const Error& error) {
      run.notes.push_back("The prompts are left out: " + reason(error));
    }
  }

  void add_table(Group& group) {
    if (group.logs.empty()) return;
    AlignmentRequest request;
    request.task = page_.votes[group.votes].task;
    request.train = group.train;
    if (!group.answers.empty()) request.answers = group.answers;
    request.runs = std::move(group.logs);
    const std::string of = record::describe(request.runs.front());
    try {
      page_.tables.push_back(align_runs(std::move(request), std::move(group.set)));
    } catch (const Error& error) {
      const auto first =
          std::find_if(page_.runs.begin(), page_.runs.end(),
                       [&](const ReportedRun& run) { return record::describe(run.log) == of; });
      first->notes.push_back("The table against votes is left out: " + reason(error));
    }
  }

  bool has_prompts_;
  analysis::ReportPage page_;
  std::vector<Group> groups_;
};

}  // namespace

std::string task_of_folder(const std::filesystem::path& folder) {
  const std::filesystem::path whole = std::filesystem::weakly_canonical(folder);
  std::string task;
  for (const std::filesystem::path& part : whole) {
    for (const data::DatasetInfo& info : data::datasets()) {
      for (const Plan* plan : plans()) {
        for (const char* served : {"", kServedCategory}) {
          if (part == std::string(info.name) + served + std::string(plan->category_ending)) {
            task = info.name;
          }
        }
      }
    }
  }
  return task;
}

analysis::ReportPage make_report(std::vector<AskedRun> runs,
                                 bool has_prompts,
                                 const std::vector<InspectionFile>& inspections) {
  Gatherer gatherer(has_prompts);
  for (AskedRun& run : runs) gatherer.add(std::move(run));
  for (const InspectionFile& file : inspections) gatherer.add_inspections(file);
  return gatherer.finish();
}

}  // namespace labelprobe::experiment
