#include "labelprobe/data/evaluation_list.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/data/summary.h"
#include "labelprobe/python/random.h"

namespace labelprobe::data {

namespace {

constexpr auto kRules =
    enum_names<ListRule>("rule", {{ListRule::Main, "main"}, {ListRule::MultiLabel, "multilabel"}});

struct Candidate {
  std::string example_id;
  Labels labels;  // the aggregate's
  bool is_disputed = false;
};

struct Cell {
  ListCell told;
  std::vector<int> candidates;  // positions, ascending
};

using Group = std::vector<Cell>;

struct Candidates {
  std::vector<Candidate> list;
  bool have_votes = false;
  std::size_t n_left_out = 0;
};

// The examples that can be drawn: where annotators count, only those that at least two labelled.
Candidates candidates_of(const Dataset& dataset, ListRule rule) {
  std::unordered_map<std::string, ExampleVotes> votes_of;
  for (ExampleVotes& example : votes_by_example(dataset)) {
    const std::string example_id = example.example_id;
    votes_of.emplace(example_id, std::move(example));
  }
  Candidates candidates;
  bool has_aggregate = false;
  for (const Example& example : dataset.examples) {
    const bool is_vote = example.annotator != kAggregate;
    candidates.have_votes = candidates.have_votes || (is_vote && rule == ListRule::Main);
    has_aggregate = has_aggregate || !is_vote;
  }
  if (!has_aggregate) {
    throw ConfigError(dataset.name +
                      ": expected annotation_mode both or aggregate, without test_debug_ann: a "
                      "list is balanced by the aggregate labels, and none are left");
  }
  for (const Example& example : dataset.examples) {
    if (example.annotator != kAggregate) {
      continue;
    }
    const ExampleVotes& votes = votes_of.at(example.example_id);
    if (candidates.have_votes && votes.votes.size() < 2) {
      ++candidates.n_left_out;
    } else {
      candidates.list.push_back({example.example_id, example.labels, votes.are_disputed()});
    }
  }
  return candidates;
}

std::vector<std::string> group_names(const LabelSet& label_set, ListRule rule) {
  if (rule == ListRule::MultiLabel) {
    return {"several labels"};
  }
  return label_set.is_multilabel()
             ? std::vector<std::string>{"no label", "one label", "several labels"}
             : label_set.names();
}

// The number of the candidate's group; -1: in none.
int group_of(const Labels& labels, const LabelSet& label_set, ListRule rule) {
  if (rule == ListRule::MultiLabel) {
    return labels.size() > 1 ? 0 : -1;
  }
  return label_set.is_multilabel() ? static_cast<int>(std::min<std::size_t>(labels.size(), 2))
                                   : labels.front();
}

std::vector<Group> make_groups(const Candidates& candidates,
                               const LabelSet& label_set,
                               ListRule rule) {
  std::vector<Group> groups;
  for (const std::string& name : group_names(label_set, rule)) {
    Group group;
    if (candidates.have_votes) {
      group.push_back({{name, "disputed"}, {}});
      group.push_back({{name, "agreed"}, {}});
    } else {
      group.push_back({{name, ""}, {}});
    }
    groups.push_back(std::move(group));
  }
  for (std::size_t i = 0; i < candidates.list.size(); ++i) {
    const Candidate& candidate = candidates.list[i];
    const int number = group_of(candidate.labels, label_set, rule);
    if (number < 0) {
      continue;
    }
    Group& group = groups[static_cast<std::size_t>(number)];
    Cell& cell = group[candidates.have_votes && !candidate.is_disputed ? 1 : 0];
    cell.candidates.push_back(static_cast<int>(i));
    ++cell.told.n_available;
  }
  return groups;
}

// `n` in equal parts; the first ones take what is left over.
std::vector<std::size_t> equal_parts(std::size_t n, std::size_t n_parts) {
  std::vector<std::size_t> parts(n_parts, n / n_parts);
  for (std::size_t i = 0; i < n % n_parts; ++i) {
    ++parts[i];
  }
  return parts;
}

// `n` in parts as equal as they can be with at most capacities[i] in part i; `n` fits.
std::vector<std::size_t> parts_within(std::size_t n, std::span<const std::size_t> capacities) {
  std::vector<std::size_t> parts(capacities.size(), 0);
  while (n > 0) {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] < capacities[i]) {
        open.push_back(i);
      }
    }
    LABELPROBE_CHECK(!open.empty());
    const std::vector<std::size_t> more = equal_parts(n, open.size());
    for (std::size_t k = 0; k < open.size(); ++k) {
      const std::size_t taken = std::min(more[k], capacities[open[k]] - parts[open[k]]);
      parts[open[k]] += taken;
      n -= taken;
    }
  }
  return parts;
}

std::size_t n_available_in(const Group& group) {
  std::size_t n = 0;
  for (const Cell& cell : group) {
    n += cell.told.n_available;
  }
  return n;
}

// Decides how many come from each cell.
void share_out(std::vector<Group>& groups, std::size_t n) {
  std::vector<std::size_t> sizes;
  for (const Group& group : groups) {
    sizes.push_back(n_available_in(group));
  }
  const std::vector<std::size_t> wanted = equal_parts(n, groups.size());
  const std::vector<std::size_t> drawn = parts_within(n, sizes);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Group& group = groups[g];
    std::vector<std::size_t> cell_sizes;
    for (const Cell& cell : group) {
      cell_sizes.push_back(cell.told.n_available);
    }
    const std::vector<std::size_t> wanted_of = equal_parts(wanted[g], group.size());
    const std::vector<std::size_t> drawn_of = parts_within(drawn[g], cell_sizes);
    for (std::size_t c = 0; c < group.size(); ++c) {
      group[c].told.n_wanted = wanted_of[c];
      group[c].told.n_drawn = drawn_of[c];
    }
  }
}

void check(const Dataset& dataset, ListRule rule, int n) {
  if (n < 1) {
    throw ConfigError(fmt::format("n: expected the number of examples, at least 1, found {}", n));
  }
  if (rule == ListRule::MultiLabel && !dataset.label_set.is_multilabel()) {
    throw ConfigError(
        fmt::format("rule multilabel: {} has one label per example; use rule main", dataset.name));
  }
}

}  // namespace

ListRule parse_list_rule(std::string_view name) {
  return kRules.parse(name);
}

EvaluationList draw_evaluation_list(const Dataset& dataset,
                                    ListRule rule,
                                    int n,
                                    std::int64_t seed) {
  check(dataset, rule, n);
  const Candidates candidates = candidates_of(dataset, rule);
  std::vector<Group> groups = make_groups(candidates, dataset.label_set, rule);
  const std::size_t n_available = std::accumulate(
      groups.begin(), groups.end(), std::size_t{0},
      [](std::size_t sum, const Group& group) { return sum + n_available_in(group); });
  if (n_available < static_cast<std::size_t>(n)) {
    throw DataError(fmt::format(
        "{}: expected at least {} examples to draw from, found {}; ask for fewer or add splits",
        dataset.name, n, n_available));
  }
  share_out(groups, static_cast<std::size_t>(n));
  EvaluationList list;
  list.n_left_out = candidates.n_left_out;
  std::vector<int> taken;
  python::Random random(seed);
  for (const Group& group : groups) {
    for (const Cell& cell : group) {
      const std::vector<int> drawn =
          random.sample(cell.candidates, static_cast<int>(cell.told.n_drawn));
      taken.insert(taken.end(), drawn.begin(), drawn.end());
      list.cells.push_back(cell.told);
    }
  }
  std::sort(taken.begin(), taken.end());
  for (const int position : taken) {
    list.example_ids.push_back(candidates.list[static_cast<std::size_t>(position)].example_id);
  }
  return list;
}

}  // namespace labelprobe::data
