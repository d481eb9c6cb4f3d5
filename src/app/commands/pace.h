// How fast models were on this machine: noted after each run in the user's cache folder
// ($XDG_CACHE_HOME, else ~/.cache), read to say how long another will take. Never needed: what
// cannot be read or written is done without.
#pragma once

#include <optional>

#include "labelprobe/experiment/job.h"
#include "labelprobe/experiment/run.h"

namespace labelprobe::app {

struct Pace {
  double tokens_per_second = 0;     // prompt tokens computed, tokens generated, those of readouts
  double generated_per_prompt = 0;  // mean number of tokens
  double readouts_per_prompt = 0;   // likewise computed for readouts; 0 where the run had others
};

// That of the last run with the same model, device and numbers.
std::optional<Pace> find_pace(const experiment::PreparedJob& prepared);

// The prompts that are answered and read.
double n_prompts_of(const experiment::Preparation& preparation);

// How long the run will take at that pace, from its first item on; unset: there is none.
std::optional<double> estimate_seconds(const experiment::PreparedJob& prepared);

//   seconds  of computing
void note_pace(const experiment::PreparedJob& prepared,
               const experiment::Outcome& outcome,
               double seconds);

}  // namespace labelprobe::app
