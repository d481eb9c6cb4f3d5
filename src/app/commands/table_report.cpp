#include "app/commands/table_report.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/table.h"
#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/experiment/alignment.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/record/provenance.h"
#include "labelprobe/weights/precision.h"

#include "app/commands/cells.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestFileName = 200;  // of a file, in bytes
constexpr std::size_t kShownHash = 12;         // hexadecimal digits

// "main_test_set (231 ids, hash 0123456789ab)"
std::string describe_list(const experiment::IdList& list) {
  const files::MappedFile file(list.file);
  const std::vector<std::string> lines = files::read_lines(file);
  const auto n = std::count_if(lines.begin(), lines.end(),
                               [](const std::string& line) { return !line.empty(); });
  return fmt::format("{} ({} ids, hash {})", list.name, n,
                     fingerprint(file.text()).substr(0, kShownHash));
}

// "fp4-float32"; weights that a checkpoint holds quantised itself are "as stored".
std::string numerics_of(const experiment::ModelLoading& model) {
  return fmt::format("{}-{}", weights::quantization_name(model.options.quantization),
                     weights::dtype_name(model.options.dtype));
}

}  // namespace

void TableReport::note_source(const experiment::CellOptions& options,
                              std::span<const CellRun> cells) {
  models_.push_back(short_name(options.model));
  seed_ = options.seed;
  limit_ = options.limit;
  body_ += fmt::format("\n## {}\n\n", options.model);
  const auto made =
      std::find_if(cells.begin(), cells.end(), [](const CellRun& cell) { return bool(cell.job); });
  if (made == cells.end()) return;
  const experiment::Job& job = made->job->job;
  numerics_.insert(numerics_of(job.model));
  body_ += fmt::format(
      "- {}; seed {}, {} shots\n",
      experiment::describe_numerics(job.model.options.quantization, job.model.options.dtype),
      job.settings.seed, job.settings.n_shots);
}

void TableReport::add_model(const experiment::CellOptions& options,
                            std::span<const std::string_view> tasks,
                            std::span<const CellRun> cells) {
  note_source(options, cells);
  std::vector<std::string> notes;
  for (const CellRun& cell : cells) {
    if (!cell.missing.empty()) {
      notes.push_back(cell.cell.name() + ": " + cell.missing);
    } else if (cell.result.n_failed > 0) {
      notes.push_back(fmt::format(
          "{}: {} items failed; each entry of {} says why under test_failure", cell.cell.name(),
          cell.result.n_failed, (cell.result.folder / "indexed_metrics.yml").string()));
    }
  }
  for (const std::string_view task : tasks) {
    add_set(options, std::string(task), cells, notes);
  }
  if (!notes.empty()) {
    is_whole_ = false;
    body_ += "\n### Missing\n\n";
    for (const std::string& note : notes) body_ += "- " + note + '\n';
  }
}

void TableReport::add_set(const experiment::CellOptions& options,
                          const std::string& task,
                          std::span<const CellRun> cells,
                          std::vector<std::string>& notes) {
  std::vector<const CellRun*> runs;
  for (const CellRun& cell : cells) {
    if (cell.cell.task == task && cell.missing.empty()) runs.push_back(&cell);
  }
  if (runs.empty()) return;
  const experiment::IdList list = experiment::find_id_list(task, options);
  lists_.insert(list.name);
  body_ += fmt::format("\n### {}\n\nId list: {}\n\n", task, describe_list(list));
  try {
    body_ += align(task, runs);
  } catch (const std::exception& error) {
    notes.push_back(fmt::format("{}: no table: {}", task, error.what()));
    body_ += "No table; see below.\n";
  }
}

std::string TableReport::align(const std::string& task,
                               const std::vector<const CellRun*>& runs) const {
  const experiment::Settings& settings = runs.front()->job->job.settings;
  experiment::AlignmentRequest request;
  request.task = task;
  request.train = settings.train;
  request.answers = options_.answers;
  if (!options_.paper.empty() && options_.paper != "none") {
    request.options.paper = analysis::parse_paper_table(options_.paper);
  }
  if (options_.n_resamples > 0) request.bootstrap = {.n_resamples = options_.n_resamples};
  for (const std::string& given : options_.scores) {
    if (!given.starts_with(task + "/")) continue;
    const std::size_t equals = given.find('=');
    request.scores.push_back(
        {given.substr(task.size() + 1, equals - task.size() - 1), given.substr(equals + 1), {}});
  }
  analysis::VotedSet votes = experiment::load_votes(task, settings.test);
  for (const CellRun* run : runs) {
    request.runs.push_back(analysis::read_run_log(run->result.folder, run->result.experiment_index,
                                                  analysis::ModelState::Plain, task,
                                                  votes.label_set));
  }
  const analysis::AlignmentTable table =
      experiment::align_runs(std::move(request), std::move(votes));
  std::ostringstream text;
  analysis::write_table(text, table, analysis::TableFormat::Markdown);
  for (const std::string& warning : table.warnings) text << "- warning: " << warning << '\n';
  return text.str();
}

std::string TableReport::text() const {
  return fmt::format(
      "# Distribution alignment: {}{}\n\nMade by labelprobe {}.\n{}", fmt::join(lists_, ", "),
      limit_ ? fmt::format(", first {} examples", *limit_) : "", record::program_version(), body_);
}

fs::path TableReport::write(const fs::path& folder) const {
  std::vector<std::string> parts = {table_};
  if (!lists_.empty()) parts.push_back(fmt::format("{}", fmt::join(lists_, "+")));
  if (limit_) parts.push_back(std::to_string(*limit_));
  // The cells are in the name, so that some of them do not overwrite the whole table.
  parts.insert(parts.end(), asked_.begin(), asked_.end());
  parts.push_back(fmt::format("{}", fmt::join(models_, "+")));
  parts.insert(parts.end(), numerics_.begin(), numerics_.end());
  parts.push_back("seed" + seed_);
  std::string name = fmt::format("{}", fmt::join(parts, "-"));
  std::replace(name.begin(), name.end(), '/', '-');
  if (name.size() > kLongestFileName) {
    const std::string hash = fingerprint(name).substr(0, kShownHash);
    name = name.substr(0, kLongestFileName - kShownHash - 1) + "-" + hash;
  }
  files::Disk disk;
  disk.make_folders(folder);
  const fs::path file = folder / (name + ".md");
  disk.replace(file, text());
  return file;
}

}  // namespace labelprobe::app
