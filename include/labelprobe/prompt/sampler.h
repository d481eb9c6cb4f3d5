// Which training examples are shown as demonstrations, and in which order. Draws are CPython's, bit
// for bit; the similarity strategy draws nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/example.h"
#include "labelprobe/python/random.h"

namespace labelprobe::prompt {

struct SamplingStrategy {
  enum class Kind { Random, Complete, Uniform, Multilabel, Similarity };

  Kind kind = Kind::Random;
  double multilabel_ratio = 0.5;  // Multilabel: share of demonstrations with several labels, 0 to 1
  int n_retries = 3;  // Complete: attempts at showing all labels, each with another seed; 1 or more

  // "random" (also "" and "None"), "complete", "similarity", "uniform", "multilabel",
  // "multilabel_R" with R from 0 to 1. Throws ConfigError naming the known ones.
  static SamplingStrategy parse(std::string_view name);
  std::string name() const;
};

// Names and one line each, in the order --help shows them.
struct SamplerInfo {
  std::string name;
  std::string summary;
};
std::vector<SamplerInfo> samplers();

// Sentence vectors of any length but 0, row by row; all numbers finite.
struct SentenceVectors {
  int n_dims = 0;
  std::vector<float> train;    // [n_train, n_dims], in the order of the training examples
  std::vector<float> queries;  // [n_queries, n_dims], in the order of the queries
};

// What demonstrations are drawn for.
struct DrawRequest {
  std::int64_t seed = 0;
  std::string_view annotator;     // whose items may be drawn, normally `aggregate`
  std::size_t query = 0;          // its position among the queries; only Similarity looks at it
  std::span<const int> own = {};  // positions that are not shown, for they are the query itself
};

// Draws demonstrations from one training set. The class lists are made once; sample() is cheap.
class Sampler {
 public:
  // Keeps no reference to `train`. Throws ConfigError if the strategy does not fit the label kind
  // (multilabel or complete on a single-label set) or n_shots is negative.
  //   vectors  needed by Similarity if there are shots, else unused
  Sampler(std::span<const Example> train,
          const LabelSet& label_set,
          SamplingStrategy strategy,
          int n_shots,
          std::shared_ptr<const SentenceVectors> vectors = nullptr);

  // Positions in `train`, in prompt order; none if n_shots is 0. Re-seeds with `seed` first, so
  // equal seeds give equal demonstrations.
  //   annotator  whose items may be drawn, normally `aggregate`. Multilabel draws from the items of
  //              all annotators, as the published code does.
  // Throws ConfigError if there are too few examples of a kind the strategy needs, or
  // complete shows all labels in no attempt.
  std::vector<int> sample(std::int64_t seed, std::string_view annotator) const;

  // The same draw, leaving the generator where the draw ended: the breakdown builders go on with
  // it. Similarity neither seeds nor draws: the nearest training examples by the cosine of their
  // vectors and the query's, nearest first, of equally near ones the first. A query that is itself
  // a training example is its own nearest.
  // Where a position of request.own was drawn, another stands in its place, and the others stay.
  // After the draw, in prompt order, each such place gets one random.choice() of the positions,
  // ascending, that were not drawn, are not `own` and serve as well: any of the annotator's under
  // Random; under Multilabel any from the same of its two lists; under Uniform and Complete any of
  // the annotator's with the very labels. Similarity goes on to the next nearest instead. Throws
  // ConfigError if there is none.
  std::vector<int> sample(python::Random& random, const DrawRequest& request) const;

  struct Candidates;

 private:
  std::shared_ptr<const Candidates> candidates_;
};

}  // namespace labelprobe::prompt
