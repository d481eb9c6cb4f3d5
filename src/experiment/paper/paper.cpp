#include "labelprobe/experiment/paper.h"

#include <algorithm>

#include <fmt/format.h>

#include "labelprobe/analysis/attention_shares.h"
#include "labelprobe/analysis/named_runs.h"
#include "labelprobe/analysis/steps.h"
#include "labelprobe/core/error.h"

#include "experiment/paper/paper_alignments.h"
#include "experiment/paper/paper_probes.h"

namespace labelprobe::experiment {

namespace {

using analysis::PaperNumber;
using PaperProgress = std::function<void(const std::string&)>;

// Makes the parts one after the other; what several of them need is made once.
class PaperMaker {
 public:
  PaperMaker(const PaperRequest& request, const PaperProgress& progress)
      : request_(request), progress_(progress) {
    if (wants({"table1", "table2", "table5"})) {
      probes_ = train_paper_probes(request_, progress_);
      scores_ = probe_scores(request_, probes_);
    }
    if (wants({"table1", "table5", "figure7", "figure11"})) {
      alignments_ = align_paper_runs(request_, scores_, progress_);
    }
  }

  Paper make() {
    for (const PaperAlignment& alignment : alignments_) {
      if (!alignment.table) continue;
      for (const std::string& warning : alignment.table->warnings) {
        paper_.warnings.push_back(
            fmt::format("{}, {}: {}", request_.models[alignment.model], alignment.task, warning));
      }
    }
    for (const PaperPart* part : request_.parts) {
      progress_(std::string(part->title));
      if (!part->figure.empty()) {
        add_figure(*part);
      } else if (part->name != "table3") {
        add_table(*part);
      }
    }
    return std::move(paper_);
  }

 private:
  bool wants(std::initializer_list<std::string_view> names) const {
    return std::any_of(request_.parts.begin(), request_.parts.end(), [&](const PaperPart* part) {
      return std::find(names.begin(), names.end(), part->name) != names.end();
    });
  }

  // --- Tables ---

  void add_table(const PaperPart& part) {
    const auto add = [&](std::vector<PaperNumber> numbers) {
      paper_.numbers.insert(paper_.numbers.end(), numbers.begin(), numbers.end());
    };
    if (part.name == "table1" || part.name == "table5") {
      return add(alignment_numbers(request_, part.name, alignments_, scores_));
    }
    for (const PaperNumber& number : analysis::published_numbers(part.name)) {
      if (request_.takes(number.set)) paper_.numbers.push_back(number);
    }
    if (part.name == "table2") return add(probe_numbers());
    for (const PaperRun& run : request_.runs) {
      if (run.cell.kind->name != "steps") continue;
      progress_(
          fmt::format("{}: {} of {}", part.title, run.cell.task, request_.models[run.cell.model]));
      add(part.name == "table4" ? step_numbers(run) : attention_numbers(run));
    }
  }

  PaperNumber number_of(std::string_view table,
                        std::size_t model,
                        std::string_view set,
                        std::string_view measure) const {
    return {std::string(table),
            "",
            request_.models[model],
            std::string(set),
            std::string(measure),
            {},
            ""};
  }

  std::vector<PaperNumber> probe_numbers() const {
    std::vector<PaperNumber> numbers;
    for (const auto& [place, probes] : probes_) {
      for (const analysis::PaperMeasure& measure : analysis::measures_of("table2")) {
        PaperNumber& number =
            numbers.emplace_back(number_of("table2", place.first, place.second, measure.name));
        const auto found = probes.measures.find(std::string(measure.name));
        if (found != probes.measures.end()) {
          number.value = found->second;
          number.note = probes.note;
        } else {
          number.note = probes.missing.empty() ? "no item has such labels" : probes.missing;
        }
      }
    }
    return numbers;
  }

  // The log of a run, read once; throws DataError.
  const record::LoggedRun& log_of(const PaperRun& run) {
    const auto place = std::pair(run.cell.model, run.cell.name());
    auto found = logs_.find(place);
    if (found == logs_.end()) {
      found = logs_.emplace(place, record::read_run(run.folder, run.experiment_index)).first;
    }
    return found->second;
  }

  std::vector<PaperNumber> step_numbers(const PaperRun& run) {
    PaperNumber number =
        number_of("table4", run.cell.model, run.cell.task, "second_not_predicted_ever");
    number.note = reason_of(run);
    if (number.note.empty()) {
      const auto share =
          analysis::summarize_steps(analysis::measure_steps(log_of(run), {})).never_share();
      if (share) {
        number.value = 100 * *share;
      } else {
        number.note = "no answer has two label steps whose second label is not the next";
      }
    }
    return {number};
  }

  std::vector<PaperNumber> attention_numbers(const PaperRun& run) {
    const std::string missing = reason_of(run);
    analysis::AttentionShares shares;
    if (missing.empty()) shares = analysis::mean_attention(log_of(run).items);
    std::vector<PaperNumber> numbers;
    for (const analysis::AttentionColumn& column : analysis::attention_columns()) {
      PaperNumber& number =
          numbers.emplace_back(number_of("table6", run.cell.model, run.cell.task, column.name));
      number.note = missing;
      const std::optional<double>& share = shares.*column.share;
      if (share) {
        number.value = 100 * *share;
      } else if (missing.empty()) {
        number.note = "no answer has two label steps";
      }
    }
    return numbers;
  }

  // --- Figures ---

  void add_figure(const PaperPart& part) {
    PaperFigure& figure = paper_.figures.emplace_back();
    figure.part = &part;
    const analysis::Figure& data = analysis::find_figure(part.figure);
    try {
      data.of_runs ? add_run_rows(data, figure) : add_alignment_rows(data, figure);
    } catch (const Error& error) {
      figure.rows = {};
      figure.notes.emplace_back(error.what());
    }
  }

  static void add_note(PaperFigure& figure, std::string note) {
    if (std::find(figure.notes.begin(), figure.notes.end(), note) == figure.notes.end()) {
      figure.notes.push_back(std::move(note));
    }
  }

  void add_run_rows(const analysis::Figure& data, PaperFigure& figure) {
    std::vector<analysis::NamedRuns> runs;
    for (const PaperPart::Need& need : figure.part->needs) {
      for (const std::string_view set : need.sets) {
        for (std::size_t model = 0; model < request_.models.size(); ++model) {
          const PaperRun* run = find_paper_run(request_, model, need.kind, set);
          if (!run) continue;
          if (!run->missing.empty()) {
            add_note(figure, reason_of(*run));
            continue;
          }
          const analysis::NamedRuns named = {
              std::string(set), request_.models[model], {log_of(*run)}};
          if (!has_rows(data, named, figure)) continue;
          figure.inputs.push_back(
              fmt::format("{}/experiment_{}", run->folder.string(), run->experiment_index));
          runs.push_back(named);
        }
      }
    }
    if (!runs.empty()) figure.rows = data.of_runs(runs, request_.figures);
  }

  // Whether a run has anything to show; else it is noted, for the others do without it.
  bool has_rows(const analysis::Figure& data, const analysis::NamedRuns& run, PaperFigure& figure) {
    std::string reason = "no answer has enough label steps";
    try {
      if (!data.of_runs(std::span(&run, 1), request_.figures).empty()) return true;
    } catch (const Error& error) {
      reason = error.what();
    }
    const std::string of = record::describe(run.experiments.front()) + ": ";
    if (reason.starts_with(of)) reason.erase(0, of.size());
    add_note(figure, fmt::format("{}: {}", run.name(), reason));
    return false;
  }

  void add_alignment_rows(const analysis::Figure& data, PaperFigure& figure) {
    if (data.name == "base_chat" && request_.models.size() < 2) {
      throw ConfigError("expected two models, the base and the chat form of one; found one");
    }
    std::vector<std::string> names;
    for (const PaperAlignment& alignment : alignments_) {
      const std::string& model = request_.models[alignment.model];
      if (alignment.table) {
        figure.inputs.push_back(alignment.file.string());
        names.push_back(alignment.task + "/" + model);
      } else {
        add_note(figure, fmt::format("{}, {}: {}", model, alignment.task, alignment.missing));
      }
    }
    if (names.empty()) return;
    figure.rows = data.of_alignments(analysis::read_alignments(figure.inputs, names));
  }

  const PaperRequest& request_;
  const PaperProgress& progress_;
  AllPaperProbes probes_;
  AllProbeScores scores_;
  std::vector<PaperAlignment> alignments_;
  std::map<std::pair<std::size_t, std::string>, record::LoggedRun> logs_;
  Paper paper_;
};

bool can_be_had(const PaperNumber& number) {
  return !number.source.starts_with(analysis::kPublishedSource) && !number.note.starts_with("N/");
}

}  // namespace

bool PaperRequest::takes(std::string_view set) const {
  return sets.empty() || std::find(sets.begin(), sets.end(), set) != sets.end();
}

bool Paper::is_whole() const {
  return std::all_of(
             numbers.begin(), numbers.end(),
             [](const PaperNumber& number) { return number.value || !can_be_had(number); }) &&
         std::all_of(figures.begin(), figures.end(),
                     [](const PaperFigure& figure) { return figure.notes.empty(); });
}

Paper make_paper(const PaperRequest& request, const PaperProgress& progress) {
  return PaperMaker(request, progress).make();
}

}  // namespace labelprobe::experiment
