// The table of an alignment in a terminal, in Markdown, in LaTeX and in HTML.
#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "labelprobe/files/text_table.h"

#include "analysis/report/numbers.h"
#include "analysis/report/table_layouts.h"
#include "analysis/report/table_lines.h"

namespace labelprobe::analysis {

namespace {

constexpr std::string_view kDoubtful = " \u2020";

std::string with_error(const Measured& measured) {
  if (!measured.value) return "";
  return rounded(*measured.value) +
         (measured.standard_error ? " \u00B1 " + rounded(*measured.standard_error) : "");
}

std::string metric_text(const TableLine& line, const Metric& metric) {
  if (!line.alignment) return metric.of_example ? "N/A" : "";
  const Measured* measured = line.alignment->find(metric.name);
  return measured ? with_error(*measured) : "";
}

// "23.93", "N/A" or "N/S"; empty without a cell.
std::string published_text(const TableLine& line, const Metric& metric) {
  const auto& cell = line.row->published;
  if (!cell || !line.label.empty()) return "";
  return cell->kind == PublishedCell::Kind::Numbers ? rounded(number_of(*cell, metric))
                                                    : std::string(reason_of(*cell));
}

std::string count(const std::optional<std::size_t>& n) {
  return n ? std::to_string(*n) : "";
}

std::string found_share(const AlignmentRow& row) {
  if (!row.n_answers_found || row.n_items.value_or(0) == 0) return "";
  return rounded(
             100.0 * static_cast<double>(*row.n_answers_found) / static_cast<double>(*row.n_items),
             1) +
         "%";
}

// What a row says of the log and the answers in it; empty on the lines of labels.
std::vector<std::string> log_texts(const TableLine& line, const std::vector<std::string>& sources) {
  if (!line.label.empty()) return std::vector<std::string>(5);
  const AlignmentRow& row = *line.row;
  const auto source = std::find(sources.begin(), sources.end(), row.run);
  return {count(row.n_items), count(row.n_failed), found_share(row),
          row.mean_answer_mass ? rounded(*row.mean_answer_mass, 3) : "",
          source == sources.end() ? "" : std::to_string(source - sources.begin() + 1)};
}

files::TextTable make_grid(const AlignmentTable& table, const std::vector<std::string>& sources) {
  const std::vector<const Metric*> metrics = metrics_of(table);
  files::TextTable grid;
  grid.columns = {{"method", files::Align::Left},
                  {"answer", files::Align::Left},
                  {"label", files::Align::Left}};
  for (const Metric* metric : metrics) {
    grid.columns.push_back({std::string(metric->title)});
    if (is_published(*metric)) grid.columns.push_back({"paper"});
  }
  for (const char* header : {"n", "items", "failed", "found", "mass", "run"}) {
    grid.columns.push_back({header});
  }
  for (const TableLine& line : lines_for_people(table)) {
    std::vector<std::string> texts = {
        line.row->method + (line.row->is_doubtful ? std::string(kDoubtful) : ""), line.row->answer,
        line.label};
    for (const Metric* metric : metrics) {
      texts.push_back(metric_text(line, *metric));
      if (is_published(*metric)) texts.push_back(published_text(line, *metric));
    }
    texts.push_back(line.alignment ? std::to_string(line.alignment->example_ids.size()) : "");
    for (std::string& text : log_texts(line, sources)) texts.push_back(std::move(text));
    grid.rows.push_back(std::move(texts));
  }
  files::drop_empty_columns(grid);
  return grid;
}

files::TextTable make_grid_of_differences(const AlignmentTable& table) {
  files::TextTable grid;
  grid.columns = {{"difference", files::Align::Left}};
  for (const Difference& of_metric : table.differences.front().difference.metrics) {
    grid.columns.push_back({std::string(of_metric.metric->title)});
  }
  grid.columns.push_back({"n"});
  for (const RowDifference& entry : table.differences) {
    std::vector<std::string> texts = {name_of(table.rows[entry.row]) + " minus " +
                                      name_of(table.rows[entry.against])};
    for (const Difference& of_metric : entry.difference.metrics) {
      texts.push_back(fmt::format("{} [{}, {}]", rounded(of_metric.value), rounded(of_metric.low),
                                  rounded(of_metric.high)));
    }
    texts.push_back(std::to_string(entry.difference.n_examples));
    grid.rows.push_back(std::move(texts));
  }
  return grid;
}

std::string title(const AlignmentTable& table) {
  return fmt::format("{}: {} examples with votes, {} labels ({}-label)", table.task,
                     table.n_examples_with_votes, table.labels.size(),
                     table.kind == LabelKind::MultiLabel ? "multi" : "single");
}

std::string title_of_differences(const AlignmentTable& table) {
  return fmt::format(
      "Differences with their {:g}% intervals ({} paired bootstrap resamples, seed {})",
      100.0 * table.bootstrap.level, table.bootstrap.n_resamples, table.bootstrap.seed);
}

// What the columns mean, for the columns there are.
std::vector<std::string> legend(const AlignmentTable& table) {
  std::vector<std::string> lines = {"mean \u00B1 standard error over n examples"};
  for (const Metric* metric : metrics_of(table)) {
    lines.push_back(fmt::format("{}: {}", metric->title, metric->summary));
  }
  if (table.paper) lines.push_back(fmt::format("paper: {}", describe(*table.paper)));
  const auto any = [&](const auto& has) {
    return std::any_of(table.rows.begin(), table.rows.end(), has);
  };
  if (any([](const AlignmentRow& row) { return row.n_answers_found.has_value(); })) {
    const bool is_greedy = !any(
        [](const AlignmentRow& row) { return row.answer == "first" || row.answer == "healed"; });
    lines.push_back(std::string("found: share of items whose answer was found") +
                    (is_greedy ? "" : "; first, healed: whose likeliest token begins an answer"));
  }
  if (any([](const AlignmentRow& row) { return row.is_doubtful; })) {
    lines.push_back(
        fmt::format("\u2020: found for less than {:g} % of the items", 100.0 * kFoundEnough));
  }
  if (any([](const AlignmentRow& row) { return row.mean_answer_mass.has_value(); })) {
    lines.emplace_back(
        "mass: mean probability of the whole vocabulary that the answer words hold there");
  }
  if (any([](const AlignmentRow& row) { return row.answered.has_value(); })) {
    lines.push_back(fmt::format(
        "{}: without the examples whose answers name nothing that was asked for", kAnswered));
  }
  for (const AlignmentRow& row : table.rows) {
    if (!row.note.empty()) lines.push_back(name_of(row) + ": " + row.note);
  }
  return lines;
}

// Legend, then "run 1: <folder>; <how far it can be trusted>".
std::vector<std::string> footnotes(const AlignmentTable& table,
                                   const std::vector<std::string>& sources) {
  std::vector<std::string> lines = legend(table);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    std::string& line = lines.emplace_back(fmt::format("run {}: {}", i + 1, sources[i]));
    for (const RunValidity& validity : table.validity) {
      const std::string brief = describe_briefly(validity.rows);
      if (validity.run == sources[i] && !brief.empty()) line += "; " + brief;
    }
  }
  return lines;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void write_table_for_terminal(std::ostream& out, const AlignmentTable& table) {
  const std::vector<std::string> sources = sources_of(table);
  out << title(table) << "\n\n";
  files::write_terminal(out, make_grid(table, sources));
  if (!table.differences.empty()) {
    out << '\n' << title_of_differences(table) << "\n\n";
    files::write_terminal(out, make_grid_of_differences(table));
  }
  out << '\n';
  for (const std::string& line : footnotes(table, sources)) out << line << '\n';
}

void write_table_for_markdown(std::ostream& out, const AlignmentTable& table) {
  const std::vector<std::string> sources = sources_of(table);
  out << files::escape_markdown(title(table)) << "\n\n";
  files::write_markdown(out, make_grid(table, sources));
  if (!table.differences.empty()) {
    out << '\n' << files::escape_markdown(title_of_differences(table)) << "\n\n";
    files::write_markdown(out, make_grid_of_differences(table));
  }
  out << '\n';
  for (const std::string& line : footnotes(table, sources)) {
    out << "- " << files::escape_markdown(line) << '\n';
  }
}

void write_table_for_latex(std::ostream& out, const AlignmentTable& table) {
  const std::vector<std::string> sources = sources_of(table);
  out << "% " << one_line(title(table)) << '\n';
  for (const std::string& line : footnotes(table, sources)) out << "% " << one_line(line) << '\n';
  files::write_latex(out, make_grid(table, sources));
  if (!table.differences.empty()) {
    out << "\n% " << title_of_differences(table) << '\n';
    files::write_latex(out, make_grid_of_differences(table));
  }
}

void write_table_for_html(std::ostream& out, const AlignmentTable& table) {
  const std::vector<std::string> sources = sources_of(table);
  out << "<figure>\n<figcaption>" << files::escape_html(title(table)) << "</figcaption>\n";
  files::write_html(out, make_grid(table, sources));
  if (!table.differences.empty()) {
    out << "<p>" << files::escape_html(title_of_differences(table)) << "</p>\n";
    files::write_html(out, make_grid_of_differences(table));
  }
  out << "<ul>\n";
  for (const std::string& line : footnotes(table, sources)) {
    out << "<li>" << files::escape_html(line) << "</li>\n";
  }
  out << "</ul>\n</figure>\n";
}

}  // namespace labelprobe::analysis
