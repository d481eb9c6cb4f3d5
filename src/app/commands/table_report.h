// What `labelprobe table` writes: per model what its numbers come from, per data set the alignment
// of its runs, and what is missing.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/analysis/estimators.h"
#include "labelprobe/experiment/grid.h"
#include "labelprobe/experiment/tables.h"

namespace labelprobe::app {

// A cell of one model, and what became of it.
struct CellRun {
  experiment::Cell cell;
  std::optional<experiment::GridJob> job;  // unset if it cannot be made
  std::string missing;                     // why there is no run; empty if there is one
  experiment::JobResult result;
};

struct ReportOptions {
  std::string paper;  // whose published numbers stand beside; "none" or empty: nobody's
  std::vector<std::string> scores;  // SET/NAME=FILE
  std::vector<analysis::AnswerPosition> answers;
  int n_resamples = 0;
};

class TableReport {
 public:
  //   asked  the cells that were asked for; none = all
  TableReport(std::string table, std::vector<std::string> asked, ReportOptions options)
      : table_(std::move(table)), asked_(std::move(asked)), options_(std::move(options)) {}

  void add_model(const experiment::CellOptions& options,
                 std::span<const std::string_view> tasks,
                 std::span<const CellRun> cells);

  bool is_empty() const { return body_.empty(); }
  bool is_whole() const { return is_whole_; }  // nothing was missing
  std::string text() const;                    // Markdown

  // Into a file of the folder whose name says what the table shows: other models, lists, precisions
  // or seeds are other files. Throws ConfigError.
  std::filesystem::path write(const std::filesystem::path& folder) const;

 private:
  void add_set(const experiment::CellOptions& options,
               const std::string& task,
               std::span<const CellRun> cells,
               std::vector<std::string>& notes);
  std::string align(const std::string& task, const std::vector<const CellRun*>& runs) const;
  void note_source(const experiment::CellOptions& options, std::span<const CellRun> cells);

  std::string table_;
  std::vector<std::string> asked_;
  ReportOptions options_;
  std::string body_;
  std::vector<std::string> models_;
  std::set<std::string> lists_;
  std::set<std::string> numerics_;  // "fp4-float32"
  std::string seed_;
  std::optional<std::int64_t> limit_;
  bool is_whole_ = true;
};

}  // namespace labelprobe::app
