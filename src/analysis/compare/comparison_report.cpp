#include "labelprobe/analysis/comparison_report.h"

#include <algorithm>
#include <map>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_table.h"

#include "analysis/compare/comparison_numbers.h"
#include "analysis/report/numbers.h"

namespace labelprobe::analysis {

namespace {

using ReportRow = std::vector<std::string>;

// "3.1e-06"; differences span many orders of magnitude.
std::string short_form(double number) {
  return number == 0.0 ? "0" : fmt::format("{:.1e}", number);
}

std::string listed(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

// On one line and not endless.
std::string shortened(const std::string& text) {
  constexpr std::size_t kMost = 60;
  std::string line;
  for (const char c : text) line += c == '\n' ? "\\n" : std::string(1, c);
  if (line.size() <= kMost) return line;
  return line.substr(0, character_start(line, kMost - 3)) + "...";
}

void write_section(std::ostream& out, const std::string& title, const files::TextTable& grid) {
  out << '\n' << title << "\n\n";
  files::write_terminal(out, grid);
}

std::string share_of(std::size_t n, std::size_t of) {
  return fmt::format("{} of {}", n, of);
}

void write_settings(std::ostream& out, const ComparisonReport& report) {
  if (report.settings.empty()) {
    out << "\nNo setting differs.\n";
    return;
  }
  files::TextTable grid{
      {{"setting", files::Align::Left}, {"A", files::Align::Left}, {"B", files::Align::Left}}, {}};
  for (const SettingDifference& setting : report.settings) {
    grid.rows.push_back({setting.name, shortened(setting.value_a), shortened(setting.value_b)});
  }
  write_section(out, "Settings that differ", grid);
}

void write_items(std::ostream& out, const RunComparison& comparison) {
  out << "\nItems: " << comparison.items.size() << " compared, " << comparison.only_a.size()
      << " only in A, " << comparison.only_b.size() << " only in B, failed "
      << comparison.failed_a.size() << " in A and " << comparison.failed_b.size() << " in B\n";
  if (comparison.n_prompts_apart > 0) {
    out << "  " << share_of(comparison.n_prompts_apart, comparison.items.size())
        << " were asked with other prompts: their differences are not those of the computation "
           "alone\n";
  }
  std::size_t n_only_a = 0;
  std::size_t n_only_b = 0;
  for (const ComparedItem& item : comparison.items) {
    n_only_a += item.stated_only_a.size();
    n_only_b += item.stated_only_b.size();
  }
  if (n_only_a + n_only_b > 0) {
    out << "  numbers of labels: " << n_only_a << " stated only in A, " << n_only_b
        << " stated only in B\n";
  }
}

bool has_label_steps(const RunComparison& comparison) {
  return comparison.margins_a.n_items > 0;
}

void write_places(std::ostream& out, const RunComparison& comparison) {
  if (comparison.places.empty()) {
    out << "\nNo item has a label step in both runs, so there are no probabilities to compare.\n";
    return;
  }
  files::TextTable grid;
  grid.columns = {{"step", files::Align::Left},
                  {"items"},
                  {"other prefix"},
                  {"max |dp|"},
                  {"99%"},
                  {"mean"},
                  {"max |d ln p|"},
                  {"99%"},
                  {"mean"},
                  {"L1 mean"},
                  {"L1 max"},
                  {"KL mean"},
                  {"KL max"},
                  {"flips"}};
  for (const PlaceSummary& place : comparison.places) {
    const Spread& probs = place.prob_difference;
    const Spread& logprobs = place.logprob_difference;
    grid.rows.push_back({place.place, std::to_string(place.n_items),
                         place.n_other_prefix > 0 ? std::to_string(place.n_other_prefix) : "",
                         short_form(probs.max), short_form(probs.p99), short_form(probs.mean),
                         short_form(logprobs.max), short_form(logprobs.p99),
                         short_form(logprobs.mean), short_form(place.l1.mean),
                         short_form(place.l1.max), short_form(place.kl.mean),
                         short_form(place.kl.max), std::to_string(place.n_flips)});
  }
  files::drop_empty_columns(grid);
  write_section(
      out,
      fmt::format("Probabilities of the {} {} (|dp| and |d ln p| over single numbers, L1 "
                  "and KL in nats over items)",
                  comparison.labels.size(), comparison.labels.size() == 2 ? "words" : "labels"),
      grid);
  const bool has_other_prefix =
      std::any_of(comparison.places.begin(), comparison.places.end(),
                  [](const PlaceSummary& place) { return place.n_other_prefix > 0; });
  if (has_other_prefix) {
    out << "  other prefix: items whose answers differed before that step; left out\n";
  }
}

void write_margins(std::ostream& out, const RunComparison& comparison) {
  if (!has_label_steps(comparison)) return;
  files::TextTable grid;
  grid.columns = {
      {"run", files::Align::Left}, {"items"}, {"smallest"}, {"1%"}, {"5%"}, {"25%"}, {"median"}};
  for (const auto& [name, margins] :
       {std::pair("A", &comparison.margins_a), std::pair("B", &comparison.margins_b)}) {
    ReportRow row = {name, std::to_string(margins->n_items)};
    for (const double margin : margins->quantiles) row.push_back(short_form(margin));
    grid.rows.push_back(std::move(row));
  }
  write_section(out, "Margins: the likeliest label's probability minus the second's, at step 1",
                grid);
}

void write_flip_counts(std::ostream& out, const RunComparison& comparison) {
  const auto count = [&](const auto& is_counted) {
    return static_cast<std::size_t>(
        std::count_if(comparison.flips.begin(), comparison.flips.end(), is_counted));
  };
  const std::size_t n = comparison.items.size();
  out << "\nFlips\n\n";
  out << "  predicted labels       "
      << share_of(count([](const Flip& flip) { return flip.have_predictions_flipped; }), n) << '\n';
  out << "  likeliest first label  "
      << share_of(count([](const Flip& flip) { return flip.has_first_label_flipped; }),
                  comparison.margins_a.n_items)
      << '\n';
  out << "  generated answer       " << share_of(comparison.n_answers_apart, n);
  if (comparison.n_one_longer > 0) {
    out << " (" << comparison.n_one_longer << " of them agree until one of them ends)";
  }
  out << '\n';
  // Where the answers part, by position.
  std::map<std::size_t, std::size_t> parted;
  for (const ComparedItem& item : comparison.items) {
    if (item.first_differing_token) ++parted[*item.first_differing_token];
  }
  if (!parted.empty()) {
    constexpr std::size_t kMost = 8;
    std::size_t n_shown = 0;
    out << "  first differing token  ";
    for (const auto& [position, n_items] : parted) {
      if (n_shown == kMost) {
        out << ", ...";
        break;
      }
      out << (n_shown++ == 0 ? "" : ", ") << position << " (" << n_items
          << (n_items == 1 ? " item)" : " items)");
    }
    out << '\n';
  }
}

void write_flips(std::ostream& out, const RunComparison& comparison, std::size_t n_top) {
  write_flip_counts(out, comparison);
  const std::size_t n = std::min(n_top, comparison.flips.size());
  if (n == 0) return;
  files::TextTable grid;
  grid.columns = {{"item", files::Align::Left},
                  {"predicted A", files::Align::Left},
                  {"predicted B", files::Align::Left},
                  {"step", files::Align::Left},
                  {"likeliest A", files::Align::Left},
                  {"likeliest B", files::Align::Left},
                  {"margin A"},
                  {"margin B"},
                  {"max |dp|"},
                  {"near tie", files::Align::Left},
                  {"token"}};
  for (std::size_t i = 0; i < n; ++i) {
    const Flip& flip = comparison.flips[i];
    const ComparedItem& item = comparison.items[flip.item];
    const bool has_step = !flip.place.empty();
    grid.rows.push_back(
        {item.key, shortened(listed(item.predictions_a)), shortened(listed(item.predictions_b)),
         flip.place, flip.label_a, flip.label_b, has_step ? short_form(flip.margin_a) : "",
         has_step ? short_form(flip.margin_b) : "", has_step ? short_form(flip.largest) : "",
         flip.is_near_tie ? (*flip.is_near_tie ? "yes" : "no") : "",
         item.first_differing_token ? std::to_string(*item.first_differing_token) : ""});
  }
  const std::size_t n_ties = static_cast<std::size_t>(
      std::count_if(comparison.flips.begin(), comparison.flips.end(),
                    [](const Flip& flip) { return flip.is_near_tie.value_or(false); }));
  write_section(out,
                fmt::format("{} flipped items, widest margins first; near ties: {} (smaller margin "
                            "at most {},\nthe largest difference of an item that did not flip)",
                            share_of(n, comparison.flips.size()), n_ties,
                            short_form(comparison.usual_difference)),
                grid);
  if (std::any_of(comparison.flips.begin(),
                  comparison.flips.begin() + static_cast<std::ptrdiff_t>(n),
                  [](const Flip& flip) { return flip.place.empty(); })) {
    out << "  no step: the answers part at a token that begins no label, whose margin is not "
           "logged\n";
  }
}

void write_worst(std::ostream& out, const RunComparison& comparison, std::size_t n_top) {
  const std::size_t n = std::min(n_top, comparison.worst.size());
  if (n == 0) return;
  files::TextTable grid;
  grid.columns = {{"item", files::Align::Left},
                  {"step", files::Align::Left},
                  {"label", files::Align::Left},
                  {"A"},
                  {"B"},
                  {"|dp|"},
                  {"L1"},
                  {"predicted A", files::Align::Left},
                  {"predicted B", files::Align::Left}};
  for (std::size_t i = 0; i < n; ++i) {
    const LargestDifference& worst = comparison.worst[i];
    const ComparedItem& item = comparison.items[worst.item];
    const ComparedStep& step = item.steps[worst.step];
    grid.rows.push_back(
        {item.key, step.place, step.labels[worst.label], rounded(step.probs_a[worst.label], 6),
         rounded(step.probs_b[worst.label], 6), short_form(worst.difference), short_form(step.l1),
         shortened(listed(item.predictions_a)), shortened(listed(item.predictions_b))});
  }
  write_section(out, fmt::format("The {} items that differ most", n), grid);
}

}  // namespace

void write_terminal(std::ostream& out, const ComparisonReport& report, std::size_t n_top) {
  out << "A  " << report.run_a << "\nB  " << report.run_b << '\n';
  write_settings(out, report);
  write_items(out, report.comparison);
  write_places(out, report.comparison);
  write_margins(out, report.comparison);
  write_flips(out, report.comparison, n_top);
  write_worst(out, report.comparison, n_top);
}

ScatterPlot make_plot(const ComparisonReport& report) {
  const RunComparison& comparison = report.comparison;
  std::map<std::string, ScatterSeries> series;
  for (const std::string& label : comparison.labels) series[label].name = label;
  std::size_t n_points = 0;
  for (const ComparedItem& item : comparison.items) {
    for (const ComparedStep& step : item.steps) {
      const bool is_shown = is_label_step(step) || step.place == "reported";
      if (!step.has_equal_prefix || !is_shown) continue;
      for (std::size_t i = 0; i < step.labels.size(); ++i, ++n_points) {
        series[step.labels[i]].points.emplace_back(step.probs_a[i], step.probs_b[i]);
      }
    }
  }
  ScatterPlot plot{
      .title = "Label probabilities of two runs",
      .subtitle = fmt::format(
          "{} probabilities of {} items; largest difference {}", n_points, comparison.items.size(),
          comparison.worst.empty() ? "none" : short_form(comparison.worst.front().difference)),
      .x_title = "probability in A: " + report.run_a,
      .y_title = "probability in B: " + report.run_b,
      .series = {}};
  for (auto& [name, of_label] : series) plot.series.push_back(std::move(of_label));
  return plot;
}

}  // namespace labelprobe::analysis
