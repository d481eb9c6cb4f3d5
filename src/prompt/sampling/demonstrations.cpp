#include "prompt/sampling/demonstrations.h"

#include <algorithm>

namespace labelprobe::prompt {

ShownExamples examples_of(std::span<const Demonstration> demonstrations) {
  ShownExamples shown;
  for (const Demonstration& demonstration : demonstrations) {
    shown.push_back(demonstration.example);
  }
  return shown;
}

bool is_among(const Example& query, const ShownExamples& shown, const QueryOptions& options) {
  return std::any_of(shown.begin(), shown.end(), [&](const Example* example) {
    return is_same_example(query, *example, options);
  });
}

Query start_query(const Example& example, const ShownExamples& shown, const QueryOptions& options) {
  std::vector<std::string> ids;
  for (const Example* demonstration : shown) {
    ids.push_back(demonstration->example_id);
  }
  const bool is_prior =
      options.labels.mode == LabelMode::Predictions && example.prior_labels.has_value();
  return {.item = {.example_id = example.example_id, .annotator = example.annotator},
          .text = {},
          .query_text = example.text,
          .gold = is_prior ? *example.prior_labels : example.labels,
          .demonstration_ids = std::move(ids),
          .is_demonstrated = is_among(example, shown, options)};
}

ChainsOfThought::ChainsOfThought(const QueryOptions& options) : options_(options) {
  for (const auto& [id, cot] : options.cots) {
    all_.push_back(cot);
  }
}

std::optional<std::string_view> ChainsOfThought::draw(const Example& example,
                                                      python::Random& random) const {
  if (options_.randomize_cots && !all_.empty()) {
    return random.choice(std::span(all_));
  }
  const std::string id = example.id();
  const auto found = std::find_if(options_.cots.begin(), options_.cots.end(),
                                  [&](const auto& cot) { return cot.first == id; });
  return found != options_.cots.end() ? std::optional<std::string_view>(found->second)
                                      : std::nullopt;
}

DemonstrationDraws::DemonstrationDraws(const Task& task, SamplingStrategy strategy)
    : task_(task),
      sampler_(task.train, task.label_set, strategy, task.options.n_shots, task.options.vectors),
      labels_(
          task.train, task.label_set, task.options, {{task.options.labels.mode, "label mode"}}) {}

std::vector<Demonstration> DemonstrationDraws::draw(python::Random& random,
                                                    const DrawRequest& request) const {
  const std::vector<int> positions = sampler_.sample(random, request);
  const bool is_aggregate = request.annotator == kAggregate;
  if (is_aggregate) {
    labels_.seed(random);  // even where labels stay: other draws may follow
  }
  const LabelMode mode = is_aggregate ? task_.options.labels.mode : LabelMode::Gold;
  std::vector<Demonstration> demonstrations;
  for (const int position : positions) {
    const Example& example = task_.train[static_cast<std::size_t>(position)];
    demonstrations.push_back({&example, labels_.draw(mode, example, random)});
  }
  return demonstrations;
}

}  // namespace labelprobe::prompt
