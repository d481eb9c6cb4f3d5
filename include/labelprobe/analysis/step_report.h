// The numbers of label steps as tables and files: for people, for other programs, and the two files
// that the published scripts leave behind.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/analysis/steps.h"

namespace labelprobe::analysis {

struct NamedSteps {
  std::string name;               // for people: "GoEmotions/Llama-3.1-8B"
  std::vector<std::string> runs;  // the experiments taken together, as describe() names them
  std::size_t n_items = 0;        // of all of them, with steps or without
  StepSummary summary;
  std::vector<int> shown;  // the steps that the table for people has
};

// One table for each, and Table 4 below them.
void write_steps_terminal(std::ostream& out, std::span<const NamedSteps> all);

// One line per name, place, step and number, every digit kept; Table 4 is the number
// second_not_predicted_ever, a share from 0 to 1, of no step.
void write_steps_csv(std::ostream& out, std::span<const NamedSteps> all);

void write_steps_json(std::ostream& out, std::span<const NamedSteps> all);

// stats.txt: mean and standard deviation as Python's literals, steps counted from 0.
std::string stats_text(const StepSummary& summary);

// <name>_stats.yml: the same numbers, each a list of both; second_not_predicted_ever in percent,
// null without such a step.
std::string stats_yaml(const StepSummary& summary);

// "llama3_8b_base" of "Llama3 8B Base": what its files begin with.
std::string file_stem(const std::string& name);

}  // namespace labelprobe::analysis
