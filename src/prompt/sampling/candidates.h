// The training examples that can be drawn, listed by what the strategies ask for, and the draws
// themselves.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/prompt/sampler.h"
#include "labelprobe/python/set_order.h"

namespace labelprobe::prompt {

// What can be drawn, listed once per training set. Only the lists of the chosen strategy are
// filled.
struct Sampler::Candidates {
  struct Pool {
    std::vector<int> positions;      // ascending
    python::PythonSet position_set;  // Uniform, Complete
    // Uniform, Complete: positions, ascending, by name of LabelSet::names_with_none()
    std::vector<std::vector<int>> classes;
    std::vector<python::PythonSet> class_sets;  // Uniform: the same as sets
  };

  SamplingStrategy strategy;
  int n_shots = 0;
  std::vector<std::string> class_names;            // LabelSet::names_with_none()
  std::map<std::string, Pool, std::less<>> pools;  // by annotator
  std::vector<int> several_labels;                 // Multilabel: of all annotators, ascending
  std::vector<int> one_label;                      // Multilabel: of all annotators, ascending
  std::vector<Labels> labels;                      // Uniform, Complete: by position
  std::shared_ptr<const SentenceVectors> vectors;  // Similarity
  std::vector<float> lengths;                      // Similarity: of the vectors, by position
};

// Positions drawn by one strategy, in prompt order; `random` is seeded with the request's seed
// before.
using Draw = std::vector<int> (*)(const Sampler::Candidates& candidates,
                                  const DrawRequest& request,
                                  python::Random& random);

std::vector<int> draw_random(const Sampler::Candidates& candidates,
                             const DrawRequest& request,
                             python::Random& random);
std::vector<int> draw_complete(const Sampler::Candidates& candidates,
                               const DrawRequest& request,
                               python::Random& random);
std::vector<int> draw_similar(const Sampler::Candidates& candidates,
                              const DrawRequest& request,
                              python::Random& random);
std::vector<int> draw_uniform(const Sampler::Candidates& candidates,
                              const DrawRequest& request,
                              python::Random& random);
std::vector<int> draw_multilabel(const Sampler::Candidates& candidates,
                                 const DrawRequest& request,
                                 python::Random& random);

// Puts others in the place of those positions that are request.own.
void replace_own(const Sampler::Candidates& candidates,
                 const DrawRequest& request,
                 python::Random& random,
                 std::vector<int>& drawn);

// The Euclidean length of every vector, [n / n_dims].
std::vector<float> lengths_of(std::span<const float> vectors, int n_dims);

// What a message says of them: "of annotator 'x'".
std::string of_annotator(std::string_view annotator);
[[noreturn]] void throw_too_few(const Sampler::Candidates& candidates,
                                int n_needed,
                                std::size_t n_found,
                                const std::string& what);
const Sampler::Candidates::Pool& pool_of(const Sampler::Candidates& candidates,
                                         std::string_view annotator);

}  // namespace labelprobe::prompt
