// labelprobe show: a run's log for people.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/record/logged_run.h"

#include "app/commands/command.h"
#include "app/terminal/visible.h"

namespace labelprobe::app {

namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "none" : visible(text);
}

// Null: the label has none.
const float* find(const record::LabelValues& values, const std::string& name) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& value) { return value.first == name; });
  return found == values.end() ? nullptr : &found->second;
}

// What an item says of every label: one column per label step, or per reading of the numbers that
// its answer states.
struct Column {
  std::string title;
  record::LabelValues probs;
};

std::vector<Column> columns_of(const record::ItemRecord& item) {
  std::vector<Column> columns;
  for (const record::LabelStep& step : item.label_steps) {
    columns.push_back({"step " + std::to_string(columns.size() + 1), record::label_probs(step)});
  }
  if (!item.reported_probs.empty()) columns.push_back({"reported", item.reported_probs});
  if (!item.expected_probs.empty()) columns.push_back({"expected", item.expected_probs});
  return columns;
}

// One row per label, most probable first.
void print_columns(const std::vector<Column>& columns) {
  std::vector<std::pair<float, std::string>> rows;
  std::size_t width = 0;
  for (const auto& [name, prob] : columns.front().probs) {
    float largest = 0.0F;
    for (const Column& column : columns) {
      const float* of_column = find(column.probs, name);
      largest = std::max(largest, of_column ? *of_column : 0.0F);
    }
    rows.emplace_back(-largest, name);
    width = std::max(width, name.size());
  }
  std::sort(rows.begin(), rows.end());
  std::printf("  %-*s", static_cast<int>(width), "");
  for (const Column& column : columns) {
    std::printf("  %s", column.title.c_str());
  }
  std::printf("\n");
  for (const auto& [order, name] : rows) {
    std::printf("  %-*s", static_cast<int>(width), name.c_str());
    for (const Column& column : columns) {
      const auto column_width = static_cast<int>(column.title.size());
      if (const float* of_column = find(column.probs, name)) {
        std::printf("  %*.4f", column_width, static_cast<double>(*of_column));
      } else {
        std::printf("  %*s", column_width, "-");
      }
    }
    std::printf("\n");
  }
}

void print_item(const record::ItemRecord& item) {
  std::printf("%s  %s\n", visible(item.key).c_str(), visible(item.query_text).c_str());
  if (item.failure) {
    std::printf("  failed: %s\n\n", visible(*item.failure).c_str());
    return;
  }
  std::printf("  gold:      %s\n  predicted: %s\n  answer:    %s\n", listed(item.gold).c_str(),
              listed(item.predictions).c_str(), visible(item.outs).c_str());
  if (!item.is_answered()) {
    std::printf("  no label was generated, so there are no probabilities\n\n");
    return;
  }
  print_columns(columns_of(item));
  std::printf("\n");
}

struct ShowFlags {
  std::string folder;
  std::optional<int> experiment;
  std::size_t n_items = 0;
  std::vector<std::string> ids;
};

void declare_flags(OptionList& options, ShowFlags& flags) {
  options.add(flags.folder, {.name = "FOLDER",
                             .help = "Log folder of a run",
                             .is_required = true,
                             .shown = Shown::First,
                             .value = "FOLDER"});
  options.make_operand();
  options.begin_group("Items");
  options.add(flags.experiment,
              {.name = "experiment",
               .help = "Number of the experiment in the folder (default: the last)",
               .shown = Shown::First,
               .least = 0});
  options.add(flags.n_items, {.name = "items",
                              .help = "How many items to print; 0 = all",
                              .fallback = "5",
                              .shown = Shown::First,
                              .least = 0});
  options.add(flags.ids, {.name = "id", .help = "Only these items", .shown = Shown::First});
}

int show(const ShowFlags& flags) {
  const record::LoggedRun run = record::read_run(flags.folder, flags.experiment);
  std::vector<const record::ItemRecord*> shown;
  for (const record::ItemRecord& item : run.items) {
    if (flags.ids.empty() ||
        std::find(flags.ids.begin(), flags.ids.end(), item.key) != flags.ids.end()) {
      shown.push_back(&item);
    }
  }
  const std::size_t n = flags.n_items == 0 ? shown.size() : std::min(shown.size(), flags.n_items);
  std::printf("%s: %zu items, %zu shown\n\n", describe(run).c_str(), run.items.size(), n);
  for (std::size_t i = 0; i < n; ++i) {
    print_item(*shown[i]);
  }
  return kSuccess;
}

}  // namespace

Command show_command() {
  return make_command<ShowFlags>(
      {CommandGroup::Look, "show",
       "Print a run's log for people: texts, labels, probabilities at each step",
       "labelprobe show logs/GoEmotions/example_0 --items 3"},
      declare_flags, show);
}

}  // namespace labelprobe::app
