#include "experiment/paper/paper_alignments.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "labelprobe/analysis/published.h"
#include "labelprobe/core/error.h"
#include "labelprobe/experiment/alignment.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_table.h"

namespace labelprobe::experiment {

namespace {

namespace fs = std::filesystem;

using analysis::AlignmentRow;
using analysis::ModelState;
using analysis::PaperNumber;

constexpr std::string_view kProbesName = "Linear probing";
constexpr std::array<std::string_view, 4> kSets = {"Hatexplain", "MSPPodcast", "GoEmotions",
                                                   "MFRC"};

// The runs whose answers rows are made of.
constexpr std::array<std::string_view, 4> kAlignedKinds = {"baseline", "unary", "binary", "tuned"};

// The kind of run that a row of the tables is made of; empty: of a file with scores.
std::string_view kind_of(std::string_view method) {
  if (method == "unary" || method == "binary") return method;
  if (method == "SFT_output" || method == "SFT_max") return "tuned";
  if (method == "bert" || method == "linear_probing") return "";
  return "baseline";
}

fs::path file_of(const PaperRequest& request,
                 std::size_t model,
                 const std::string& task,
                 const std::string& ending) {
  return request.folder / "alignment" / fmt::format("{}-{}{}", request.models[model], task, ending);
}

void write_file(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  fs::create_directories(path.parent_path());
  files::OutputFile file(path);
  write(file.stream());
  file.finish();
}

// Leaves the votes beside the table, for whoever computes it anew.
analysis::AlignmentTable align(const PaperRequest& request,
                               std::size_t model,
                               const std::string& task,
                               const AllProbeScores& probes) {
  AlignmentRequest wanted;
  wanted.task = task;
  wanted.answers = {request.answer};
  std::optional<analysis::VotedSet> votes;
  for (const std::string_view kind : kAlignedKinds) {
    const PaperRun* run = find_paper_run(request, model, kind, task);
    if (!run || !run->missing.empty()) continue;
    if (!votes) {
      wanted.train = run->settings->train;
      votes = load_votes(task, run->settings->test);
    }
    wanted.runs.push_back(analysis::read_run_log(
        run->folder, run->experiment_index, kind == "tuned" ? ModelState::Tuned : ModelState::Plain,
        task, votes->label_set));
  }
  if (!votes) {
    const PaperRun* run = find_paper_run(request, model, "baseline", task);
    throw ConfigError(run ? reason_of(*run) : "there is no run of the data set");
  }
  for (const PaperRequest::Scores& scores : request.scores) {
    if (scores.task == task) wanted.scores.push_back({scores.name, scores.file, {}});
  }
  const auto found = probes.find({model, task});
  if (found != probes.end() && found->second.missing.empty()) {
    wanted.scores.push_back({std::string(kProbesName), found->second.file, {}});
  }
  write_file(file_of(request, model, task, ".votes.jsonl"), [&](std::ostream& out) {
    analysis::write_votes_json_lines(out, votes->votes, votes->label_set);
  });
  return align_runs(std::move(wanted), std::move(*votes));
}

const AlignmentRow* find_row(const analysis::AlignmentTable& table, std::string_view method) {
  const bool is_of_scores = kind_of(method).empty();
  const auto found =
      std::find_if(table.rows.begin(), table.rows.end(), [&](const AlignmentRow& row) {
        if (is_of_scores) {
          return row.estimator == "scores" && analysis::supervised_method(row.method) == method;
        }
        return row.estimator == method;
      });
  return found == table.rows.end() ? nullptr : &*found;
}

// Why a model has no number of a method, where its row of the table, if there is one, has none.
std::string reason(const PaperRequest& request,
                   const PaperAlignment& alignment,
                   std::string_view method,
                   const AlignmentRow* row,
                   const AllProbeScores& probes) {
  if (row) return "none of the answers was found";
  if (method == "bert")
    return "no scores of Demux are there (labelprobe demux and extract-scores make them; --scores "
           "SET/BERT=scores.yml names them)";
  if (method == "linear_probing") {
    const auto found = probes.find({alignment.model, alignment.task});
    return found == probes.end() ? "no probes were trained" : "no probes: " + found->second.missing;
  }
  const PaperRun* run = find_paper_run(request, alignment.model, kind_of(method), alignment.task);
  if (run && !run->missing.empty()) return reason_of(*run);
  LABELPROBE_CHECK(!alignment.missing.empty());
  return alignment.missing;
}

std::string caveat(const AlignmentRow& row) {
  if (!row.is_doubtful || !row.n_items || !row.n_answers_found || *row.n_items == 0) return "";
  const std::string share =
      files::percent(static_cast<double>(*row.n_answers_found) / static_cast<double>(*row.n_items));
  if (row.answer.empty() || row.answer == "greedy") {
    return fmt::format("only {} of the answers were found; the others count as undecided", share);
  }
  return fmt::format("the likeliest token begins an answer for only {} of the items", share);
}

}  // namespace

const PaperRun* find_paper_run(const PaperRequest& request,
                               std::size_t model,
                               std::string_view kind,
                               std::string_view task) {
  const auto found =
      std::find_if(request.runs.begin(), request.runs.end(), [&](const PaperRun& run) {
        return run.cell.model == model && run.cell.kind->name == kind && run.cell.task == task;
      });
  return found == request.runs.end() ? nullptr : &*found;
}

std::string reason_of(const PaperRun& run) {
  const bool says_set = run.missing.find(run.cell.task) != std::string::npos;
  const bool is_of_model = run.cell.kind->name == "tuned";
  if (run.missing.empty() || says_set || is_of_model) return run.missing;
  return fmt::format("{}: {}", run.cell.task, run.missing);
}

std::vector<PaperAlignment> align_paper_runs(
    const PaperRequest& request,
    const AllProbeScores& probes,
    const std::function<void(const std::string&)>& progress) {
  std::vector<PaperAlignment> alignments;
  for (std::size_t model = 0; model < request.models.size(); ++model) {
    for (const std::string_view set : kSets) {
      if (!request.takes(set)) continue;
      PaperAlignment& alignment = alignments.emplace_back();
      alignment.model = model;
      alignment.task = set;
      progress(fmt::format("{} of {} against votes", set, request.models[model]));
      try {
        alignment.table = align(request, model, alignment.task, probes);
        alignment.file = file_of(request, model, alignment.task, ".json");
        write_file(alignment.file, [&](std::ostream& out) {
          analysis::write_table(out, *alignment.table, analysis::TableFormat::Json);
        });
      } catch (const Error& error) {
        alignment.missing = error.what();
      }
    }
  }
  return alignments;
}

std::vector<PaperNumber> alignment_numbers(const PaperRequest& request,
                                           std::string_view table,
                                           const std::vector<PaperAlignment>& alignments,
                                           const AllProbeScores& probes) {
  std::vector<PaperNumber> numbers;
  for (const PaperNumber& number : analysis::published_numbers(table)) {
    if (request.takes(number.set)) numbers.push_back(number);
  }
  const std::vector<PaperNumber> published = numbers;
  for (const PaperAlignment& alignment : alignments) {
    for (const PaperNumber& cell : published) {
      if (cell.set != alignment.task) continue;
      PaperNumber& number = numbers.emplace_back(cell);
      number.source = request.models[alignment.model];
      number.value.reset();
      if (!cell.value) continue;  // nor can there be a number of ours
      const std::string method = analysis::paper_method(cell.row);
      const AlignmentRow* row = alignment.table ? find_row(*alignment.table, method) : nullptr;
      const analysis::Measured* measured =
          row && row->alignment ? row->alignment->find(cell.measure) : nullptr;
      if (measured) number.value = measured->value;
      number.note = number.value ? caveat(*row) : reason(request, alignment, method, row, probes);
    }
  }
  return numbers;
}

}  // namespace labelprobe::experiment
