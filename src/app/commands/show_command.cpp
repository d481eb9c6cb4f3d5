// labelprobe show: a run's log for people.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/item_id.h"
#include "labelprobe/record/run_view.h"

#include "app/commands/command.h"
#include "app/commands/readout_view.h"
#include "app/terminal/bars.h"
#include "app/terminal/visible.h"

namespace labelprobe::app {

namespace {

constexpr std::size_t kBarWidth = 30;  // columns

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

// The same as bars, a block for each column.
void print_bars(const std::vector<Column>& columns) {
  for (const Column& column : columns) {
    std::vector<std::pair<float, std::string>> rows;
    std::size_t width = 0;
    for (const auto& [name, prob] : column.probs) {
      rows.emplace_back(-prob, name);
      width = std::max(width, name.size());
    }
    std::sort(rows.begin(), rows.end());
    std::printf("  %s\n", column.title.c_str());
    for (const auto& [minus_prob, name] : rows) {
      const std::string bar = bar_of(-static_cast<double>(minus_prob), kBarWidth);
      std::printf("    %-*s  %.3f%s%s\n", static_cast<int>(width), name.c_str(),
                  -static_cast<double>(minus_prob), bar.empty() ? "" : "  ", bar.c_str());
    }
  }
}

// The example that an item is about.
std::string example_of(const std::string& key) {
  return ItemId::parse(key, item_form_of(key)).example_id;
}

// "ann7: joy; ann9: none", what each annotator chose.
std::string listed_votes(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& votes) {
  std::string text;
  for (const auto& [annotator, labels] : votes) {
    text += (text.empty() ? "" : "; ") + annotator + ": " + listed(labels);
  }
  return text;
}

// The label or labels that an item asks about; empty: it asks about the example as a whole.
std::string asked_labels(const record::ItemRecord& item) {
  const ItemForm& form = item.form();
  return form.asks_about_labels() ? listed(ItemId::parse(item.key, form).parts)
                                  : item.checked_label;
}

void print_item(const record::RunView& view, std::size_t place, bool has_bars) {
  const record::ItemRecord item = view.read(place);
  std::printf("%s  %s\n", visible(item.key).c_str(), visible(item.query_text).c_str());
  if (const std::string asked = asked_labels(item); !asked.empty()) {
    std::printf("  asked:     %s\n", asked.c_str());
  }
  if (item.failure) {
    std::printf("  failed: %s\n\n", visible(*item.failure).c_str());
    return;
  }
  std::printf("  gold:      %s\n", listed(item.gold).c_str());
  if (const auto votes = view.votes(example_of(item.key)); !votes.empty()) {
    std::printf("  votes:     %s\n", listed_votes(votes).c_str());
  }
  std::printf("  predicted: %s\n  answer:    %s\n", listed(item.predictions).c_str(),
              visible(item.outs).c_str());
  if (item.is_answered()) {
    (has_bars ? print_bars : print_columns)(columns_of(item));
  } else {
    std::printf("  no label was generated, so there are no probabilities\n");
  }
  print_readouts(std::cout, item);
  std::printf("\n");
}

struct ShowFlags {
  std::string folder;
  std::optional<int> experiment;
  std::size_t n_items = 0;
  std::vector<std::string> ids;
  bool has_bars = false;
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
  options.add(flags.ids, {.name = "id",
                          .help = "Only these items, or all items of these examples",
                          .shown = Shown::First});
  options.add(flags.has_bars,
              {.name = "bars", .help = "Probabilities as bars", .shown = Shown::First});
}

// Whether `id` is the item's own or that of its example.
bool is_named(const std::string& key, const std::string& id) {
  return key == id || (key.starts_with(id) && example_of(key) == id);
}

// The places of the wanted items. Throws ConfigError, with the nearest, for an id of no item.
std::vector<std::size_t> choose_items(const record::RunView& view,
                                      const std::vector<std::string>& ids) {
  const std::vector<std::string>& keys = view.keys();
  std::vector<bool> is_chosen(keys.size(), ids.empty());
  for (const std::string& id : ids) {
    bool is_found = false;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (is_named(keys[i], id)) is_found = is_chosen[i] = true;
    }
    if (!is_found) {
      const std::string near = nearest_choice(id, keys);
      throw ConfigError(fmt::format("--id: {} has no item '{}'{}", view.title(), id,
                                    near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (is_chosen[i]) places.push_back(i);
  }
  return places;
}

int show(const ShowFlags& flags) {
  const record::RunView view = record::RunView::open(flags.folder, flags.experiment);
  const std::vector<std::size_t> places = choose_items(view, flags.ids);
  const std::size_t n = flags.n_items == 0 ? places.size() : std::min(places.size(), flags.n_items);
  std::string state = view.unfinished();
  if (!state.empty()) {
    state += view.n_wanted() ? fmt::format(", {} of ", view.keys().size()) : ", ";
  }
  const std::size_t n_failed = view.n_failed().value_or(0);
  std::printf("%s: %s%zu items%s, %zu shown\n", view.title().c_str(), state.c_str(),
              view.n_wanted().value_or(view.keys().size()),
              n_failed > 0 ? fmt::format(", {} failed", n_failed).c_str() : "", n);
  if (!view.damage().empty()) {
    std::printf("%s in its journal: the same command computes their items again\n",
                view.damage().c_str());
  }
  std::printf("\n");
  for (std::size_t i = 0; i < n; ++i) {
    print_item(view, places[i], flags.has_bars);
  }
  return kSuccess;
}

}  // namespace

Command show_command() {
  return make_command<ShowFlags>(
      {CommandGroup::Look, "show",
       "Print a run's log for people, finished or not: texts, labels, probabilities at each step",
       "labelprobe show logs/GoEmotions/example_0 --items 3"},
      declare_flags, show);
}

}  // namespace labelprobe::app
