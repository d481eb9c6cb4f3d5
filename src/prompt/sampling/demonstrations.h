// Which demonstrations a query's prompt shows and with which labels: drawn once for all queries of
// an annotator, or anew for every query. Each plan turns them into text in its own way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "labelprobe/prompt/queries.h"
#include "labelprobe/python/random.h"

#include "prompt/sampling/label_draws.h"

namespace labelprobe::prompt {

struct Demonstration {
  const Example* example;  // of the training set
  Labels labels;           // that it is shown with
};

// The training examples of a prompt, in its order.
using ShownExamples = std::vector<const Example*>;

ShownExamples examples_of(std::span<const Demonstration> demonstrations);

bool is_same_example(const Example& query, const Example& shown, const QueryOptions& options);
bool is_among(const Example& query, const ShownExamples& shown, const QueryOptions& options);

// Which training examples a query is itself.
class OwnExamples {
 public:
  // `task` must outlive this. Knows none where they are kept.
  explicit OwnExamples(const Task& task);

  // Their positions; some may come twice.
  std::vector<int> of(const Example& query) const;

 private:
  using Index = std::unordered_map<std::string_view, std::vector<int>>;
  Index by_text_;
  Index by_id_;
};

// The first part of a query: whom and what it asks, with the text left empty.
Query start_query(const Example& example, const ShownExamples& shown, const QueryOptions& options);

// The chains of thought that demonstrations are shown with.
class ChainsOfThought {
 public:
  explicit ChainsOfThought(const QueryOptions& options);

  // The example's own, or any of all if they are randomized. Unset if there is none.
  std::optional<std::string_view> draw(const Example& example, python::Random& random) const;

 private:
  const QueryOptions& options_;
  std::vector<std::string_view> all_;  // by id
};

// Draws with one sampling strategy.
class DemonstrationDraws {
 public:
  // Throws ConfigError if the strategy or the label mode does not fit. `task` must outlive this.
  DemonstrationDraws(const Task& task, SamplingStrategy strategy);

  // Seeds `random` unless there are no shots or nothing is drawn, and leaves it where the draws
  // end.
  std::vector<Demonstration> draw(python::Random& random, const DrawRequest& request) const;

 private:
  const Task& task_;
  Sampler sampler_;
  LabelDraws labels_;
};

// What is made of the demonstrations, kept for the queries it serves: for all of an annotator's
// when demonstrations are shared, for one when they are fresh or resemble the query, or the query
// itself had to be replaced among them. Made has a member `shown`, its ShownExamples.
template <class Made>
class PerQuery {
 public:
  // `make` gets a generator that is seeded with the request's seed.
  using Make = std::function<Made(python::Random& random, const DrawRequest& request)>;

  PerQuery(const Task& task, const SamplingStrategy& strategy, Make make)
      : task_(task),
        is_by_query_(strategy.kind == SamplingStrategy::Kind::Similarity),
        make_(std::move(make)),
        query_seeds_(task.options.seed),
        own_(task) {}

  // Serves each query in turn, from the first to the last. Valid until the next call.
  const Made& next() {
    LABELPROBE_CHECK(n_queries_ < task_.queries.size());
    const Example& query = task_.queries[n_queries_];
    const bool is_fresh = task_.options.demonstrations == DemonstrationMode::Fresh;
    const std::int64_t seed = is_fresh ? query_seeds_.getrandbits(32) : task_.options.seed;
    DrawRequest request{.seed = seed, .annotator = query.annotator, .query = n_queries_++};
    const std::vector<int> own = own_.of(query);
    if (!is_fresh && !is_by_query_) {
      const Made& shared = of_annotator(request);
      if (own.empty() || !is_among(query, shared.shown, task_.options)) return shared;
    }
    request.own = own;
    return fresh_.emplace(made(request));
  }

 private:
  const Made& of_annotator(const DrawRequest& request) {
    const auto known = shared_.find(request.annotator);
    return known != shared_.end()
               ? known->second
               : shared_.emplace(std::string(request.annotator), made(request)).first->second;
  }

  Made made(const DrawRequest& request) const {
    python::Random random(request.seed);
    return make_(random, request);
  }

  const Task& task_;
  bool is_by_query_;
  Make make_;
  python::Random query_seeds_;
  OwnExamples own_;
  std::size_t n_queries_ = 0;
  std::optional<Made> fresh_;
  std::map<std::string, Made, std::less<>> shared_;  // by annotator
};

}  // namespace labelprobe::prompt
