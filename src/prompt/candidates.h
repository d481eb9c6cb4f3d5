// The training examples that can be drawn, listed by what the strategies ask for, and the draws
// themselves.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/prompt/sampler.h"

#include "python_set.h"

namespace labelprobe::prompt {

// What can be drawn, listed once per training set. Only the lists of the chosen strategy are
// filled.
struct Sampler::Candidates {
  struct Pool {
    std::vector<int> positions;  // ascending
    PythonSet position_set;      // Uniform, Complete
    // Uniform, Complete: positions, ascending, by name of LabelSet::names_with_none()
    std::vector<std::vector<int>> classes;
    std::vector<PythonSet> class_sets;  // Uniform: the same as sets
  };

  SamplingStrategy strategy;
  int n_shots = 0;
  std::vector<std::string> class_names;            // LabelSet::names_with_none()
  std::map<std::string, Pool, std::less<>> pools;  // by annotator
  std::vector<int> several_labels;                 // Multilabel: of all annotators, ascending
  std::vector<int> one_label;                      // Multilabel: of all annotators, ascending
  std::vector<Labels> labels;                      // Complete: by position
};

// Positions drawn by one strategy, in prompt order; `random` is seeded with `seed` before.
using Draw = std::vector<int> (*)(const Sampler::Candidates& candidates,
                                  std::string_view annotator,
                                  std::int64_t seed,
                                  Random& random);

std::vector<int> draw_random(const Sampler::Candidates& candidates,
                             std::string_view annotator,
                             std::int64_t seed,
                             Random& random);
std::vector<int> draw_complete(const Sampler::Candidates& candidates,
                               std::string_view annotator,
                               std::int64_t seed,
                               Random& random);
std::vector<int> draw_uniform(const Sampler::Candidates& candidates,
                              std::string_view annotator,
                              std::int64_t seed,
                              Random& random);
std::vector<int> draw_multilabel(const Sampler::Candidates& candidates,
                                 std::string_view annotator,
                                 std::int64_t seed,
                                 Random& random);

}  // namespace labelprobe::prompt
