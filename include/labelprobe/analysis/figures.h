// The data behind the paper's figures: one row per figure says what it is made of. Numbers leave as
// CSV for people and other programs, and as JSON, which scripts/figures/draw_figure.py draws.
// Knows nothing about drawing. Source: the published plot scripts; for Figures 7, 10 and 11, of
// which none are published, the paper's descriptions.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/analysis/named_runs.h"
#include "labelprobe/analysis/steps.h"

namespace labelprobe::analysis {

// A table that `labelprobe align --out F.json` wrote: figures of metrics need votes, whose data set
// and splits it knows.
struct NamedAlignment {
  std::string set;
  std::string model;  // as named, or the folder of its first run
  nlohmann::json rows;
};

// Reads each file. `names` as in read_all_named(). Throws DataError if one is no such table.
std::vector<NamedAlignment> read_alignments(std::span<const std::string> given,
                                            std::span<const std::string> names);

struct FigureOptions {
  StepOptions steps;
  StepRange range = StepRange::Common;
  std::vector<int> n_most_steps;  // none, one, or one for each run
};

// Rows of equal keys, in the order of CSV columns.
using FigureRows = nlohmann::ordered_json;

struct Figure {
  std::string_view name;   // of its files, too
  std::string_view paper;  // "Figure 4"
  std::string_view summary;
  std::string_view drawing;  // how the script draws it
  std::string_view shape;    // "violin" or "box", where it draws distributions
  // One of the two: what it is made of.
  FigureRows (*of_runs)(std::span<const NamedRuns> runs, const FigureOptions& options) = nullptr;
  FigureRows (*of_alignments)(std::span<const NamedAlignment> tables) = nullptr;
};

std::span<const Figure> figures();

// Throws ConfigError naming the nearest.
const Figure& find_figure(std::string_view name);

void write_figure_csv(std::ostream& out, const FigureRows& rows);

// {"figure", "paper", "summary", "drawing", "runs", "rows"}; `runs` says what it was made of.
void write_figure_json(std::ostream& out,
                       const Figure& figure,
                       std::span<const std::string> runs,
                       const FigureRows& rows);

}  // namespace labelprobe::analysis
