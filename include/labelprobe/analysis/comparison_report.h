// A comparison of two runs for people, for other programs and as a picture.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "labelprobe/analysis/plot.h"
#include "labelprobe/analysis/run_comparison.h"
#include "labelprobe/record/logged_run.h"

namespace labelprobe::analysis {

// A parameter in which the runs differ; empty where a run does not have it.
struct SettingDifference {
  std::string name;
  std::string value_a;
  std::string value_b;
};

// By name. Where logs go is no property of a run, and what one run does not have is no difference
// if it is unset in the other.
std::vector<SettingDifference> compare_settings(const record::LoggedParams& a,
                                                const record::LoggedParams& b);

struct ComparisonReport {
  std::string run_a;
  std::string run_b;
  std::vector<SettingDifference> settings;
  RunComparison comparison;
};

//   n_top  how many flips and how many of the largest differences to list
void write_terminal(std::ostream& out, const ComparisonReport& report, std::size_t n_top);

// One row per item, place and label; every digit. Rows after different answers say so.
void write_csv(std::ostream& out, const RunComparison& comparison);

// Everything but the single probabilities. Text that is not UTF-8 is mended.
void write_json(std::ostream& out, const ComparisonReport& report);

// The label steps' probabilities, or the numbers stated, in A against B, one series per label;
// equal prefixes only.
ScatterPlot make_plot(const ComparisonReport& report);

// What is not as equal as demanded, a sentence each: probabilities that differ by more than
// `max_difference`, items that one run does not have or that failed in one only, numbers stated in
// one only.
std::vector<std::string> describe_excesses(const RunComparison& comparison, double max_difference);

}  // namespace labelprobe::analysis
