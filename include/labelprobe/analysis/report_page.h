// The report of runs: one HTML file that needs neither server nor network. Settings, tables and
// validity are plain HTML; the items are data inside of the file, which the page's own script
// (src/analysis/page/*.js) lists, filters and draws.
// Non-goals: reading logs or data sets, which experiment::make_report() does.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/analysis/distributions.h"
#include "labelprobe/analysis/inspections.h"
#include "labelprobe/analysis/table.h"
#include "labelprobe/analysis/validity.h"
#include "labelprobe/analysis/votes.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/run_origin.h"

namespace labelprobe::analysis {

// What an estimator makes of a run.
struct ReportedEstimate {
  std::string title;  // "Unary (healed)"
  LabelNumbers probs;
};

// A run, and what there is to say of it beside its log.
struct ReportedRun {
  record::LoggedRun log;
  record::RunOrigin origin;
  std::string task;  // empty: not known
  // Those of single annotators, which plain prompting asks too; listed behind the log's own.
  std::vector<record::ItemRecord> annotator_items;
  std::map<std::string, SeenItem> inside;  // by log key: what `labelprobe inspect` has seen of them
  std::vector<ValidityRow> validity;
  std::map<std::string, std::string> prompts;  // by log key; empty: left out
  std::vector<ReportedEstimate> estimates;     // [n_labels] of the votes' label set each
  std::optional<std::size_t> votes;            // place in ReportPage::votes; set: there are labels
  std::vector<std::string> notes;              // sentences: what is missing, and why
};

// The labels of a data set, and what its annotators chose where it has any.
struct ReportVotes {
  std::string task;
  LabelSet label_set;
  Votes votes;
};

// A picture that another command made.
struct ReportFigure {
  std::string name;
  std::string svg;  // the file's bytes
};

// A part of the page above the runs: text, then a table and its notes, pictures, and texts as they
// are.
struct ReportSection {
  std::string id;  // of links to it
  std::string title;
  std::vector<std::string> paragraphs;
  std::optional<files::TextTable> table;
  std::vector<std::string> notes;  // numbered from 1, as the table's marks are
  std::vector<ReportFigure> figures;
  std::vector<std::pair<std::string, std::string>> texts;  // headings and texts, folded
};

struct ReportPage {
  std::string title;
  std::vector<ReportSection> sections;
  std::vector<ReportedRun> runs;  // at least one
  std::vector<ReportVotes> votes;
  std::vector<AlignmentTable> tables;  // against votes
  std::vector<ReportFigure> figures;
  std::optional<std::size_t> limit;  // only so many items of each run are listed; unset = all
};

// Numbers of items are rounded to four digits. Text that is not UTF-8 is mended.
void write_report(std::ostream& out, const ReportPage& page);

}  // namespace labelprobe::analysis
