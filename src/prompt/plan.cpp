#include "labelprobe/prompt/plan.h"

#include <array>
#include <map>

#include "labelprobe/core/error.h"
#include "labelprobe/core/text.h"

namespace labelprobe::prompt {

namespace {

// Every plan we know, in the order --help shows them.
struct Entry {
  Plan plan;
  std::string_view name;
  std::string_view summary;
};

constexpr std::array kPlans = {
    Entry{Plan::Baseline, "baseline",
          "one completion prompt per example: instruction, demonstrations, query"},
};

// What all prompts with the same demonstrations begin with.
struct Beginning {
  std::string text;
  std::vector<std::string> demonstration_ids;
};

Beginning begin_prompt(std::span<const Example> train,
                       const std::vector<int>& demonstrations,
                       const LabelSet& label_set,
                       const Templates& templates) {
  Beginning beginning;
  beginning.text = templates.system + templates.instruction;
  for (const int position : demonstrations) {
    const Example& example = train[static_cast<std::size_t>(position)];
    const std::string label =
        format_labels(label_set.names_of(example.labels), label_set.kind(), templates.label_format);
    beginning.text += fill_incontext(templates, example.text, label);
    beginning.demonstration_ids.push_back(example.example_id);
  }
  return beginning;
}

Query make_query(const Example& example, const Beginning& beginning, const Templates& templates) {
  const std::string whole = beginning.text + fill_query(templates, example.text);
  return {.item = {.example_id = example.example_id, .annotator = example.annotator},
          .text = std::string(strip(whole)),
          .query_text = example.text,
          .gold = example.labels,
          .demonstration_ids = beginning.demonstration_ids};
}

}  // namespace

std::vector<PlanInfo> plans() {
  std::vector<PlanInfo> infos;
  for (const Entry& entry : kPlans) {
    infos.push_back({entry.plan, std::string(entry.name), std::string(entry.summary)});
  }
  return infos;
}

Plan parse_plan(std::string_view name) {
  std::vector<std::string> known;
  for (const Entry& entry : kPlans) {
    if (name == entry.name) return entry.plan;
    known.emplace_back(entry.name);
  }
  throw ConfigError(unknown_choice("distribution", name, known));
}

std::vector<Query> make_queries(Plan plan,
                                std::span<const Example> train,
                                std::span<const Example> queries,
                                const LabelSet& label_set,
                                const PlanOptions& options) {
  LABELPROBE_CHECK(plan == Plan::Baseline);
  const Sampler sampler(train, label_set, options.sampling, options.n_shots);
  const bool is_shared = options.demonstrations == DemonstrationMode::Shared;
  std::map<std::string, Beginning> shared;  // by annotator
  Random query_seeds(options.seed);
  std::vector<Query> made;
  made.reserve(queries.size());
  for (const Example& example : queries) {
    const auto begin = [&](std::int64_t seed) {
      return begin_prompt(train, sampler.sample(seed, example.annotator), label_set,
                          options.templates);
    };
    if (!is_shared) {
      made.push_back(make_query(example, begin(query_seeds.getrandbits(32)), options.templates));
      continue;
    }
    auto known = shared.find(example.annotator);
    if (known == shared.end()) {
      known = shared.emplace(example.annotator, begin(options.seed)).first;
    }
    made.push_back(make_query(example, known->second, options.templates));
  }
  return made;
}

}  // namespace labelprobe::prompt
