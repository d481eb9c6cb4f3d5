#include "labelprobe/analysis/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ostream>

#include "labelprobe/core/error.h"

#include "analysis/report/table_json.h"
#include "analysis/report/text_grid.h"

namespace labelprobe::analysis {

namespace {

struct Format {
  std::string_view name;
  std::string_view ending;
  TableFormat format;
};

constexpr std::array kFormats = {
    Format{"terminal", ".txt", TableFormat::Terminal},
    Format{"markdown", ".md", TableFormat::Markdown},
    Format{"csv", ".csv", TableFormat::Csv},
    Format{"json", ".json", TableFormat::Json},
    Format{"latex", ".tex", TableFormat::Latex},
};

std::string rounded(double number, int n_decimals = 2) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", n_decimals, number);
  return text;
}

std::string exact(double number) {
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return {text, end};
}

std::string with_error(const Mean& mean) {
  return rounded(mean.value) + " \u00B1 " + rounded(mean.standard_error);
}

std::string interval(const Difference& difference) {
  return rounded(difference.value) + " [" + rounded(difference.low) + ", " +
         rounded(difference.high) + "]";
}

std::string count(const std::optional<std::size_t>& n) {
  return n ? std::to_string(*n) : "";
}

// "23.93" of a published cell's number, else "N/A" or "N/S"; empty without a cell.
std::string published_text(const std::optional<PublishedCell>& cell,
                           double PublishedCell::*number) {
  if (!cell) {
    return "";
  }
  switch (cell->kind) {
    case PublishedCell::Kind::NotApplicable:
      return "N/A";
    case PublishedCell::Kind::NotRun:
      return "N/S";
    case PublishedCell::Kind::Numbers:
      break;
  }
  return rounded((*cell).*number);
}

std::string found_share(const AlignmentRow& row) {
  if (!row.n_answers_found || row.n_items.value_or(0) == 0) {
    return "";
  }
  return rounded(
             100.0 * static_cast<double>(*row.n_answers_found) / static_cast<double>(*row.n_items),
             1) +
         "%";
}

// The runs and files of the table, each once, in the order of the rows; rows point to them by
// number.
std::vector<std::string> sources_of(const AlignmentTable& table) {
  std::vector<std::string> sources;
  for (const AlignmentRow& row : table.rows) {
    if (!row.run.empty() && std::find(sources.begin(), sources.end(), row.run) == sources.end()) {
      sources.push_back(row.run);
    }
  }
  return sources;
}

TextGrid grid_for_people(const AlignmentTable& table, const std::vector<std::string>& sources) {
  TextGrid grid;
  grid.columns = {{"method", Align::Left},
                  {"answer", Align::Left},
                  {"NLL"},
                  {"paper"},
                  {"L1"},
                  {"paper"},
                  {"F1"},
                  {"paper"},
                  {"n"},
                  {"items"},
                  {"failed"},
                  {"found"},
                  {"mass"},
                  {"run"}};
  for (const AlignmentRow& row : table.rows) {
    const auto metric = [&](Mean Alignment::*mean) {
      return row.alignment ? with_error((*row.alignment).*mean) : std::string("N/A");
    };
    const auto source = std::find(sources.begin(), sources.end(), row.run);
    grid.rows.push_back(
        {row.method, row.answer, metric(&Alignment::nll),
         published_text(row.published, &PublishedCell::nll), metric(&Alignment::l1),
         published_text(row.published, &PublishedCell::l1), metric(&Alignment::f1),
         published_text(row.published, &PublishedCell::f1),
         row.alignment ? std::to_string(row.alignment->examples.size()) : "", count(row.n_items),
         count(row.n_failed), found_share(row),
         row.mean_answer_mass ? rounded(*row.mean_answer_mass, 3) : "",
         source == sources.end() ? "" : std::to_string(source - sources.begin() + 1)});
  }
  drop_empty_columns(grid);
  return grid;
}

std::string row_name(const AlignmentRow& row) {
  return row.method + (row.answer.empty() ? "" : " (" + row.answer + ")");
}

TextGrid differences_for_people(const AlignmentTable& table) {
  TextGrid grid;
  grid.columns = {{"difference", Align::Left}, {"NLL"}, {"L1"}, {"F1"}, {"n"}};
  for (const RowDifference& entry : table.differences) {
    grid.rows.push_back(
        {row_name(table.rows[entry.row]) + " minus " + row_name(table.rows[entry.against]),
         interval(entry.difference.nll), interval(entry.difference.l1),
         interval(entry.difference.f1), std::to_string(entry.difference.n_examples)});
  }
  return grid;
}

std::string title(const AlignmentTable& table) {
  return table.task + ": " + std::to_string(table.n_examples_with_votes) +
         " examples with votes, " + std::to_string(table.n_labels) + " labels (" +
         (table.kind == LabelKind::MultiLabel ? "multi-label" : "single-label") + ")";
}

// What the columns mean, for the columns there are.
std::vector<std::string> legend(const AlignmentTable& table) {
  std::vector<std::string> lines = {
      "NLL in nats and L1, both summed over labels, and example-F1: mean \u00B1 standard error "
      "over "
      "n examples"};
  if (table.paper) {
    lines.push_back("paper: " + std::string(describe(*table.paper)));
  }
  const auto any = [&](const auto& has) {
    return std::any_of(table.rows.begin(), table.rows.end(), has);
  };
  if (any([](const AlignmentRow& row) { return row.n_answers_found.has_value(); })) {
    const bool is_greedy = !any(
        [](const AlignmentRow& row) { return row.answer == "first" || row.answer == "healed"; });
    lines.push_back(std::string("found: share of items whose answer was found") +
                    (is_greedy ? "" : "; first, healed: whose likeliest token begins an answer"));
  }
  if (any([](const AlignmentRow& row) { return row.mean_answer_mass.has_value(); })) {
    lines.emplace_back(
        "mass: mean probability of the whole vocabulary that the answer words hold there");
  }
  for (const AlignmentRow& row : table.rows) {
    if (!row.note.empty()) {
      lines.push_back(row_name(row) + ": " + row.note);
    }
  }
  return lines;
}

std::string differences_title(const AlignmentTable& table) {
  char percent[32];
  std::snprintf(percent, sizeof percent, "%g", 100.0 * table.level);
  return std::string("Differences with their ") + percent + "% intervals (" +
         std::to_string(table.n_resamples) + " paired bootstrap resamples, seed " +
         std::to_string(table.seed) + ")";
}

void write_for_terminal(std::ostream& out, const AlignmentTable& table) {
  const std::vector<std::string> sources = sources_of(table);
  out << title(table) << "\n\n";
  write_terminal(out, grid_for_people(table, sources));
  if (!table.differences.empty()) {
    out << '\n' << differences_title(table) << "\n\n";
    write_terminal(out, differences_for_people(table));
  }
  out << '\n';
  for (const std::string& line : legend(table)) {
    out << line << '\n';
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    out << "run " << i + 1 << ": " << sources[i] << '\n';
  }
}

void write_for_markdown(std::ostream& out, const AlignmentTable& table) {
  const std::vector<std::string> sources = sources_of(table);
  out << escape_markdown(title(table)) << "\n\n";
  write_markdown(out, grid_for_people(table, sources));
  if (!table.differences.empty()) {
    out << '\n' << escape_markdown(differences_title(table)) << "\n\n";
    write_markdown(out, differences_for_people(table));
  }
  out << '\n';
  for (const std::string& line : legend(table)) {
    out << "- " << escape_markdown(line) << '\n';
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    out << "- run " << i + 1 << ": " << escape_markdown(sources[i]) << '\n';
  }
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void write_for_latex(std::ostream& out, const AlignmentTable& table) {
  const std::vector<std::string> sources = sources_of(table);
  out << "% " << one_line(title(table)) << '\n';
  for (const std::string& line : legend(table)) {
    out << "% " << one_line(line) << '\n';
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    out << "% run " << i + 1 << ": " << one_line(sources[i]) << '\n';
  }
  write_latex(out, grid_for_people(table, sources));
  if (!table.differences.empty()) {
    out << "\n% " << differences_title(table) << '\n';
    write_latex(out, differences_for_people(table));
  }
}

TextGrid grid_for_programs(const AlignmentTable& table) {
  TextGrid grid;
  for (const char* header : {"task",
                             "method",
                             "estimator",
                             "answer",
                             "run",
                             "n_examples",
                             "nll",
                             "nll_standard_error",
                             "l1",
                             "l1_standard_error",
                             "f1",
                             "f1_standard_error",
                             "n_items",
                             "n_failed",
                             "n_answers_found",
                             "mean_answer_mass",
                             "platt_weight",
                             "platt_bias",
                             "published_nll",
                             "published_l1",
                             "published_f1",
                             "against",
                             "nll_difference",
                             "nll_low",
                             "nll_high",
                             "l1_difference",
                             "l1_low",
                             "l1_high",
                             "f1_difference",
                             "f1_low",
                             "f1_high",
                             "note"}) {
    grid.columns.push_back({header, Align::Left});
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const AlignmentRow& row = table.rows[i];
    std::vector<std::string> texts = {
        table.task,    row.method,
        row.estimator, row.answer,
        row.run,       row.alignment ? std::to_string(row.alignment->examples.size()) : ""};
    for (Mean Alignment::*mean : {&Alignment::nll, &Alignment::l1, &Alignment::f1}) {
      texts.push_back(row.alignment ? exact(((*row.alignment).*mean).value) : "");
      texts.push_back(row.alignment ? exact(((*row.alignment).*mean).standard_error) : "");
    }
    texts.insert(texts.end(), {count(row.n_items), count(row.n_failed), count(row.n_answers_found),
                               row.mean_answer_mass ? exact(*row.mean_answer_mass) : "",
                               row.platt ? exact(row.platt->weight) : "",
                               row.platt ? exact(row.platt->bias) : "",
                               published_text(row.published, &PublishedCell::nll),
                               published_text(row.published, &PublishedCell::l1),
                               published_text(row.published, &PublishedCell::f1)});
    const auto entry = std::find_if(table.differences.begin(), table.differences.end(),
                                    [&](const RowDifference& d) { return d.row == i; });
    if (entry != table.differences.end()) {
      texts.push_back(row_name(table.rows[entry->against]));
      const AlignmentDifference& d = entry->difference;
      for (const Difference* difference : {&d.nll, &d.l1, &d.f1}) {
        texts.insert(texts.end(),
                     {exact(difference->value), exact(difference->low), exact(difference->high)});
      }
    }
    texts.resize(grid.columns.size() - 1);
    texts.push_back(row.note);
    grid.rows.push_back(std::move(texts));
  }
  return grid;
}

}  // namespace

TableFormat parse_table_format(std::string_view name) {
  std::vector<std::string> known;
  for (const Format& format : kFormats) {
    if (format.name == name) {
      return format.format;
    }
    known.emplace_back(format.name);
  }
  throw ConfigError(unknown_choice("format", name, known));
}

TableFormat format_of_file(const std::filesystem::path& path) {
  std::vector<std::string> known;
  for (const Format& format : kFormats) {
    if (path.extension() == format.ending) {
      return format.format;
    }
    known.emplace_back(format.ending);
  }
  throw ConfigError(path.string() + ": " +
                    unknown_choice("file ending", path.extension().string(), known));
}

void write_table(std::ostream& out, const AlignmentTable& table, TableFormat format) {
  switch (format) {
    case TableFormat::Terminal:
      return write_for_terminal(out, table);
    case TableFormat::Markdown:
      return write_for_markdown(out, table);
    case TableFormat::Csv:
      return write_csv(out, grid_for_programs(table));
    case TableFormat::Json:
      return write_json(out, table);
    case TableFormat::Latex:
      return write_for_latex(out, table);
  }
}

}  // namespace labelprobe::analysis
