// The whole paper for models of one's own: which runs its tables and figures are made of, the
// command line of each, and the numbers and rows that finished runs give. What cannot be had is
// there with its reason.
// `labelprobe paper` carries the runs out, draws the figures and writes the files.
// Source: the published scripts/prob_distr/, scripts/ml-distribution/ and the paper itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/analysis/figures.h"
#include "labelprobe/analysis/paper_numbers.h"
#include "labelprobe/experiment/settings.h"
#include "labelprobe/experiment/tables.h"

namespace labelprobe::experiment {

// What the runs of a model have in common.
struct PaperOptions {
  CellOptions cells;  // `limit` is that of runs on id lists
  // The model's fine-tuned form: a model, or the folder of an adapter; empty = there is none.
  std::string tuned;
  std::optional<std::int64_t> split_limit;  // items of runs on whole splits; unset = all
};

// A way to run a data set.
struct PaperRunKind {
  std::string_view name;  // "steps"
  std::string_view summary;
  // The command line, beginning with "run" or "classify". Throws ConfigError saying what is
  // missing.
  std::vector<std::string> (*arguments)(const std::string& task, const PaperOptions& options);
};

// In the order of work: short ones first.
std::span<const PaperRunKind> paper_run_kinds();

// A table or a figure.
struct PaperPart {
  struct Need {
    std::string_view kind;  // of run
    std::vector<std::string_view> sets;
  };
  std::string_view name;   // "figure4"
  std::string_view title;  // "Figure 4"
  std::string_view summary;
  std::vector<Need> needs;
  std::string_view figure = "";  // in analysis::figures(); empty: a table
};

std::span<const PaperPart> paper_parts();

// Those asked for, tables first; all if none is. Throws ConfigError naming the nearest.
std::vector<const PaperPart*> choose_paper_parts(std::span<const std::string> asked);

// A run of a model.
struct PaperCell {
  std::size_t model = 0;  // among those asked for
  const PaperRunKind* kind = nullptr;
  std::string task;

  std::string name() const { return task + "/" + std::string(kind->name); }
};

// What the parts need of one model, in the order of work, each run once.
//   sets  data sets to take; none = all. Throws ConfigError for one that no part has.
std::vector<PaperCell> paper_cells(std::span<const PaperPart* const> parts,
                                   std::span<const std::string> sets,
                                   std::size_t model);

// A cell and what became of it.
struct PaperRun {
  PaperCell cell;
  std::filesystem::path folder;  // of the finished log
  int experiment_index = 0;
  std::optional<Settings> settings;  // that it was made with
  std::string missing;               // why there is no such log; empty if there is
};

struct PaperRequest {
  std::vector<std::string> models;  // as people call them
  std::vector<const PaperPart*> parts;
  std::vector<std::string> sets;  // none = all
  std::vector<PaperRun> runs;     // of all models
  // Probabilities of other methods, by data set: for the rows `BERT (Demux)` and others.
  struct Scores {
    std::string task;
    std::string name;
    std::filesystem::path file;
  };
  std::vector<Scores> scores;
  analysis::AnswerPosition answer = analysis::AnswerPosition::Greedy;
  std::optional<std::int64_t> n_components;  // of probes; unset: as published
  analysis::FigureOptions figures;
  std::filesystem::path folder;  // probes and alignments are written below it

  bool takes(std::string_view set) const;
};

// The data of a figure.
struct PaperFigure {
  const PaperPart* part = nullptr;
  analysis::FigureRows rows;        // empty: there is no figure
  std::vector<std::string> inputs;  // logs and files that it is made of
  std::vector<std::string> notes;   // what is missing of it, and why
};

struct Paper {
  std::vector<analysis::PaperNumber> numbers;  // of all tables, published ones and one's own
  std::vector<PaperFigure> figures;
  std::vector<std::string> warnings;  // sentences, of rows against votes

  bool is_whole() const;  // nothing is missing that could be there
};

// Reads the logs, trains the probes that Tables 1, 2 and 5 need (their files go to
// <folder>/probes/<model>/<set> and beside the logs; those that are there and fit the logs are
// taken), and holds runs against votes (<folder>/alignment/<model>-<set>.json).
//   progress  told what is being done
Paper make_paper(const PaperRequest& request,
                 const std::function<void(const std::string&)>& progress);

}  // namespace labelprobe::experiment
