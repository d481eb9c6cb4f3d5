// labelprobe show: a run's log for people.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/record/log_reader.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "none" : text;
}

float at(const record::LabelValues& values, const std::string& name) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& value) { return value.first == name; });
  return found == values.end() ? 0.0F : found->second;
}

// One row per label, most probable first; one column per label step.
void print_steps(const record::ItemRecord& item) {
  std::vector<std::pair<float, std::string>> rows;
  std::size_t width = 0;
  for (const auto& [name, prob] : item.all_scores.front()) {
    float largest = 0.0F;
    for (const record::LabelValues& step : item.all_scores) {
      largest = std::max(largest, at(step, name));
    }
    rows.emplace_back(-largest, name);
    width = std::max(width, name.size());
  }
  std::sort(rows.begin(), rows.end());
  std::printf("  %-*s", static_cast<int>(width), "");
  for (std::size_t i = 0; i < item.all_scores.size(); ++i) {
    std::printf("  step %zu", i + 1);
  }
  std::printf("\n");
  for (const auto& [order, name] : rows) {
    std::printf("  %-*s", static_cast<int>(width), name.c_str());
    for (const record::LabelValues& step : item.all_scores) {
      std::printf("  %6.4f", static_cast<double>(at(step, name)));
    }
    std::printf("\n");
  }
}

void print_item(const record::ItemRecord& item) {
  std::printf("%s  %s\n", item.key.c_str(), item.query_text.c_str());
  if (item.failure) {
    std::printf("  failed: %s\n\n", item.failure->c_str());
    return;
  }
  std::printf("  gold:      %s\n  predicted: %s\n  answer:    %s\n", listed(item.gold).c_str(),
              listed(item.predictions).c_str(), item.outs.c_str());
  if (item.all_scores.empty()) {
    std::printf("  no label was generated, so there are no probabilities\n\n");
    return;
  }
  print_steps(item);
  std::printf("\n");
}

}  // namespace

CommandBody declare_show(CLI::App& app) {
  struct Arguments {
    std::string folder;
    int experiment = -1;
    std::size_t n_items = 5;
    std::vector<std::string> ids;
  };
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("FOLDER", arguments->folder, "Log folder of a run")->required();
  app.add_option("--experiment", arguments->experiment,
                 "Number of the experiment in the folder (default: the last)");
  app.add_option("--items", arguments->n_items, "How many items to print; 0 = all")
      ->capture_default_str();
  app.add_option("--id", arguments->ids, "Only these items");
  return [arguments] {
    const auto index =
        arguments->experiment < 0 ? std::nullopt : std::optional(arguments->experiment);
    const record::LoggedExperiment experiment = record::read_experiment(arguments->folder, index);
    std::vector<const record::ItemRecord*> shown;
    for (const record::ItemRecord& item : experiment.items) {
      if (arguments->ids.empty() || std::find(arguments->ids.begin(), arguments->ids.end(),
                                              item.key) != arguments->ids.end()) {
        shown.push_back(&item);
      }
    }
    const std::size_t n =
        arguments->n_items == 0 ? shown.size() : std::min(shown.size(), arguments->n_items);
    std::printf("%s, experiment %d: %zu items, %zu shown\n\n", arguments->folder.c_str(),
                experiment.index, experiment.items.size(), n);
    for (std::size_t i = 0; i < n; ++i) {
      print_item(*shown[i]);
    }
    return kSuccess;
  };
}

}  // namespace labelprobe::app
