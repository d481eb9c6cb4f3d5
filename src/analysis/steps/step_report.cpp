#include "labelprobe/analysis/step_report.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_table.h"

#include "analysis/report/numbers.h"

namespace labelprobe::analysis {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kNeverName = "second_not_predicted_ever";

// The titles of the columns, each once: the second label's probability has two names in files.
std::vector<std::string> titles() {
  std::vector<std::string> all;
  for (const StepStatistic& statistic : step_statistics()) {
    if (std::find(all.begin(), all.end(), statistic.title) == all.end()) {
      all.emplace_back(statistic.title);
    }
  }
  return all;
}

// "0.83 ± 0.12"; of a share the mean alone.
std::string shown_moments(const StepMoments& moments) {
  if (moments.statistic->title == "same") return files::percent(moments.mean);
  return rounded(moments.mean, 3) + " ± " + rounded(moments.deviation, 3);
}

std::vector<std::string> make_row(const StepSummary& summary,
                                  StepPlace place,
                                  int index,
                                  const std::vector<std::string>& columns) {
  const StepMoments* top = summary.find(place, index, "top");
  if (!top) return {};
  std::vector<std::string> row = {std::to_string(index + 1),
                                  std::string(kStepPlaces.name_of(place)), std::to_string(top->n)};
  row.resize(row.size() + columns.size());
  for (const StepMoments& one : summary.moments) {
    if (one.place != place || one.index != index) continue;
    const auto column = std::find(columns.begin(), columns.end(), one.statistic->title);
    row[3 + static_cast<std::size_t>(column - columns.begin())] = shown_moments(one);
  }
  return row;
}

void write_summary(std::ostream& out, const NamedSteps& named) {
  out << fmt::format("{}: {} of {} items have label steps\n", named.name, named.summary.n_items,
                     named.n_items);
  for (const std::string& run : named.runs) out << "  " << run << '\n';
  const std::vector<std::string> columns = titles();
  files::TextTable table;
  table.columns = {{"step"}, {"place", files::Align::Left}, {"n"}};
  for (const std::string& title : columns) table.columns.push_back({title});
  for (const int index : named.shown) {
    for (const StepPlace place : {StepPlace::Last, StepPlace::Intermediate}) {
      auto row = make_row(named.summary, place, index, columns);
      if (!row.empty()) table.rows.push_back(std::move(row));
    }
  }
  files::write_terminal(out, table, {.indent = "  "});
}

void write_table4(std::ostream& out, std::span<const NamedSteps> all) {
  files::TextTable table;
  table.columns = {{"run", files::Align::Left}, {"never predicted"}, {"steps"}};
  for (const NamedSteps& named : all) {
    const std::optional<double> share = named.summary.never_share();
    table.rows.push_back({named.name, share ? files::percent(*share) : "",
                          std::to_string(named.summary.n_not_next)});
  }
  out << "Second-ranked labels that are never predicted, of those not predicted next (Table 4)\n";
  files::write_terminal(out, table, {.indent = "  "});
}

// {0: {'top': (0.8, 0.1)}, 1: ...} of one place.
std::string literal(const StepSummary& summary, StepPlace place) {
  std::string text = "{";
  int index = -1;
  for (const StepMoments& one : summary.moments) {
    if (one.place != place) continue;
    if (one.index != index) {
      text += fmt::format("{}{}: {{", index < 0 ? "" : "}, ", one.index);
      index = one.index;
    } else {
      text += ", ";
    }
    text +=
        fmt::format("'{}': ({}, {})", one.statistic->name, exact(one.mean), exact(one.deviation));
  }
  return text + (index < 0 ? "}" : "}}");
}

// What literal() has, as YAML.
void append_yaml(const StepSummary& summary, StepPlace place, std::string& text) {
  int index = -1;
  for (const StepMoments& one : summary.moments) {
    if (one.place != place) continue;
    if (one.index != index) text += fmt::format("\n  {}:", one.index);
    index = one.index;
    text += fmt::format("\n    {}: [{}, {}]", one.statistic->name, yaml_number(one.mean),
                        yaml_number(one.deviation));
  }
  text += index < 0 ? " {}\n" : "\n";
}

Json json_of(const NamedSteps& named) {
  const StepSummary& summary = named.summary;
  const std::optional<double> share = summary.never_share();
  Json json = {{"name", named.name},
               {"runs", named.runs},
               {"n_items", named.n_items},
               {"n_items_with_steps", summary.n_items},
               {"n_not_next", summary.n_not_next},
               {"n_never", summary.n_never},
               {"second_not_predicted_ever", share ? Json(*share) : Json()},
               {"steps", Json::array()}};
  for (const StepMoments& one : summary.moments) {
    json["steps"].push_back({{"place", kStepPlaces.name_of(one.place)},
                             {"step", one.index + 1},
                             {"statistic", one.statistic->name},
                             {"mean", one.mean},
                             {"deviation", one.deviation},
                             {"n", one.n}});
  }
  return json;
}

}  // namespace

void write_steps_terminal(std::ostream& out, std::span<const NamedSteps> all) {
  for (const NamedSteps& named : all) {
    write_summary(out, named);
    out << '\n';
  }
  write_table4(out, all);
  out << "\nmean ± standard deviation over n steps\n";
  for (const StepStatistic& statistic : step_statistics()) {
    if (statistic.place != StepPlace::Last) {
      out << fmt::format("{}: {}\n", statistic.title, statistic.summary);
    }
  }
}

void write_steps_csv(std::ostream& out, std::span<const NamedSteps> all) {
  files::TextTable table;
  for (const char* header : {"name", "place", "step", "statistic", "mean", "deviation", "n"}) {
    table.columns.push_back({header});
  }
  for (const NamedSteps& named : all) {
    for (const StepMoments& one : named.summary.moments) {
      table.rows.push_back({named.name, std::string(kStepPlaces.name_of(one.place)),
                            std::to_string(one.index + 1), std::string(one.statistic->name),
                            exact(one.mean), exact(one.deviation), std::to_string(one.n)});
    }
    const std::optional<double> share = named.summary.never_share();
    table.rows.push_back({named.name, "intermediate", "", std::string(kNeverName),
                          share ? exact(*share) : "", "",
                          std::to_string(named.summary.n_not_next)});
  }
  files::write_csv(out, table);
}

void write_steps_json(std::ostream& out, std::span<const NamedSteps> all) {
  Json json = Json::array();
  for (const NamedSteps& named : all) json.push_back(json_of(named));
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string stats_text(const StepSummary& summary) {
  std::string text =
      fmt::format("avg stats as last label: {}\n\navg stats as intermediate label: {}",
                  literal(summary, StepPlace::Last), literal(summary, StepPlace::Intermediate));
  if (const std::optional<double> share = summary.never_share()) {
    text += fmt::format("\n\nsecond not predicted ever: {:.1f}%", *share * 100.0);
  }
  return text;
}

std::string stats_yaml(const StepSummary& summary) {
  std::string text = "avg_stats_as_intermediate_label:";
  append_yaml(summary, StepPlace::Intermediate, text);
  text += "avg_stats_as_last_label:";
  append_yaml(summary, StepPlace::Last, text);
  const std::optional<double> share = summary.never_share();
  return text + fmt::format("{}: {}\n", kNeverName, share ? yaml_number(*share * 100.0) : "null");
}

std::string file_stem(const std::string& name) {
  std::string stem = ascii_lower(name);
  std::replace_if(
      stem.begin(), stem.end(), [](char c) { return c == ' ' || c == '/'; }, '_');
  return stem;
}

}  // namespace labelprobe::analysis
