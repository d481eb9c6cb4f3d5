#include "app/commands/readout_view.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/label_set.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_table.h"

#include "app/terminal/visible.h"

namespace labelprobe::app {

namespace {

using record::LabelValues;
using record::ReadoutValues;
using record::SlotValues;

constexpr files::TerminalLayout kLayout = {.indent = "    "};

std::string number_of(const LabelValues& values, const std::string& label) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& value) { return value.first == label; });
  return found == values.end() ? "" : fmt::format("{:.4f}", found->second);
}

std::string joined(const std::vector<std::string>& labels) {
  return labels.empty() ? std::string(kNoneLabel)
                        : visible(fmt::format("{}", fmt::join(labels, ", ")));
}

// The names, most probable first.
std::vector<std::string> ranked(LabelValues values) {
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> names;
  for (const auto& [name, prob] : values) names.push_back(name);
  return names;
}

// One row per label: its probability, and by slot where there are several.
void print_labels(std::ostream& out, const ReadoutValues& values) {
  std::vector<std::pair<std::string, const LabelValues*>> columns = {{"p", &values.probs}};
  const auto add = [&](const std::string& title, const LabelValues& numbers) {
    if (!numbers.empty()) columns.emplace_back(title, &numbers);
  };
  add("lower", values.lower);
  add("upper", values.upper);
  add("stderr", values.std_errors);
  if (values.slots.size() > 1) {
    for (const SlotValues& slot : values.slots)
      add(fmt::format("slot {}", slot.number), slot.probs);
  }
  files::TextTable table;
  table.columns.push_back({"label", files::Align::Left});
  for (const auto& [title, numbers] : columns) table.columns.push_back({title});
  for (const std::string& name : ranked(values.probs)) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row.push_back(visible(name));
    for (const auto& [title, numbers] : columns) row.push_back(number_of(*numbers, name));
  }
  files::write_terminal(out, table, kLayout);
}

void print_masses(std::ostream& out, const ReadoutValues& values) {
  std::vector<std::string> parts;
  const auto add = [&](const char* title, const std::optional<float>& number) {
    if (number) parts.push_back(fmt::format("{} {:.4f}", title, *number));
  };
  add("nothing listed", values.empty);
  add("off format", values.off_format);
  add("unexplored", values.unexplored);
  add("label mass", values.label_mass);
  if (!parts.empty()) out << "    " << fmt::format("{}", fmt::join(parts, ", ")) << '\n';
}

void print_sets(std::ostream& out, const ReadoutValues& values) {
  if (values.sets.empty()) return;
  std::vector<std::string> parts;
  for (const record::SetProbability& set : values.sets) {
    parts.push_back(fmt::format("{} {:.4f}", joined(set.labels), set.prob));
  }
  out << "    sets: " << fmt::format("{}", fmt::join(parts, "; ")) << '\n';
}

constexpr std::size_t kMostDrawn = 6;

void print_drawn(std::ostream& out, const ReadoutValues& values) {
  if (values.drawn.empty()) return;
  std::vector<std::string> parts;
  for (const record::DrawnAnswer& drawn : values.drawn) {
    if (parts.size() == kMostDrawn) {
      parts.push_back(fmt::format("{} others", values.drawn.size() - kMostDrawn));
      break;
    }
    parts.push_back(fmt::format(
        "{} x '{}'{}", drawn.n, visible(replace_all(drawn.text, "\n", "\\n")),
        drawn.end == record::DrawEnd::Closed
            ? ""
            : fmt::format(" ({})", drawn.end == record::DrawEnd::Cut ? "cut" : "off format")));
  }
  out << "    drawn: " << fmt::format("{}", fmt::join(parts, "; ")) << '\n';
}

// A row per label that was put first: the labels that follow.
void print_matrix(std::ostream& out, const ReadoutValues& values) {
  if (values.forced.empty()) return;
  files::TextTable table;
  table.columns.push_back({"first", files::Align::Left});
  for (const auto& [name, prob] : values.probs) table.columns.push_back({visible(name)});
  table.columns.push_back({"ends"});
  for (const SlotValues& slot : values.forced) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row.push_back(joined(slot.seen));
    for (const auto& [name, prob] : values.probs) row.push_back(number_of(slot.probs, name));
    row.push_back(slot.ends ? fmt::format("{:.4f}", *slot.ends) : "");
  }
  files::write_terminal(out, table, kLayout);
}

}  // namespace

void print_readouts(std::ostream& out, const record::ItemRecord& item) {
  for (const ReadoutValues& values : item.readouts) {
    out << fmt::format("  {} ({})\n", visible(record::name_with_place(values)),
                       record::kNormalisations.name_of(values.normalisation));
    print_labels(out, values);
    print_masses(out, values);
    print_sets(out, values);
    print_drawn(out, values);
    print_matrix(out, values);
  }
}

}  // namespace labelprobe::app
