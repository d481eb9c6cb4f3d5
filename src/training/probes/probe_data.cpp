#include "training/probes/probe_data.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"

#include "training/probes/label_order.h"

namespace labelprobe::training {

namespace {

constexpr std::int64_t kFirstLabel = 1;  // the step of the states

// Throws unless every item asks for the labels of an example.
void check_asks_for_labels(const record::LoggedRun& run) {
  for (const record::ItemRecord& item : run.items) {
    if (&item.form() == &kPlainItems && item.checked_label.empty()) continue;
    throw ConfigError(
        fmt::format("{}: probes need a run that asks for the labels of each example (classify, or "
                    "run --distribution baseline), found item '{}'",
                    describe(run), item.key));
  }
  if (run.items.empty()) throw DataError(describe(run) + ": expected items, found none");
}

LabelSet label_set_of(const record::LoggedRun& run) {
  std::set<std::string> names;
  std::vector<std::vector<std::string>> lists;
  for (const record::ItemRecord& item : run.items) {
    for (const auto& [name, prob] : item.first_probs()) {
      if (name != kNoneLabel) names.insert(name);
    }
    for (const auto& list : {item.gold, item.predictions}) {
      names.insert(list.begin(), list.end());
      lists.push_back(list);
    }
  }
  return {order_labels(names, lists), run.items.front().kind};
}

Labels indices_of(const std::vector<std::string>& names, const LabelSet& label_set) {
  Labels labels;
  for (const std::string& name : names) labels.push_back(label_set.index_of(name).value());
  std::sort(labels.begin(), labels.end());
  return labels;
}

void check_gold(const record::LoggedRun& run, const record::ItemRecord& item, const Labels& gold) {
  if (item.kind == LabelKind::SingleLabel && gold.size() != 1) {
    throw DataError(fmt::format("{}: item '{}': expected one gold label, found {}", describe(run),
                                item.key, gold.size()));
  }
}

}  // namespace

record::ItemStates read_first_states(const std::filesystem::path& states, std::int64_t layer) {
  record::ItemStates found = record::read_states(states, kFirstLabel, layer);
  const auto n_features = static_cast<std::ptrdiff_t>(found.n_features);
  record::ItemStates kept{{}, found.n_features, {}};
  for (std::size_t i = 0; i < found.keys.size(); ++i) {
    const auto first = found.numbers.begin() + static_cast<std::ptrdiff_t>(i) * n_features;
    const auto end = first + n_features;
    if (std::all_of(first, end, [](float number) { return number == 0.0F; })) continue;
    kept.keys.push_back(found.keys[i]);
    kept.numbers.insert(kept.numbers.end(), first, end);
  }
  return kept;
}

ProbeItems read_probe_items(const record::LoggedRun& run,
                            const std::filesystem::path& states,
                            std::int64_t layer) {
  check_asks_for_labels(run);
  ProbeItems items;
  items.label_set = label_set_of(run);
  items.states = read_first_states(states, layer);
  std::map<std::string, const record::ItemRecord*> by_key;
  for (const record::ItemRecord& item : run.items) by_key[item.key] = &item;
  for (const std::string& key : items.states.keys) {
    const auto found = by_key.find(key);
    if (found == by_key.end()) {
      throw DataError(fmt::format("{}: item '{}' is not in the log of {}; are they of one run?",
                                  states.string(), key, describe(run)));
    }
    const record::ItemRecord& item = *found->second;
    items.gold.push_back(indices_of(item.gold, items.label_set));
    check_gold(run, item, items.gold.back());
    std::optional<Labels> predicted = indices_of(item.predictions, items.label_set);
    if (!items.label_set.is_multilabel() && predicted->size() != 1) predicted.reset();
    items.predicted.push_back(std::move(predicted));
    items.answers.push_back(item.outs);
  }
  items.n_without_state = run.items.size() - items.states.keys.size();
  return items;
}

}  // namespace labelprobe::training
