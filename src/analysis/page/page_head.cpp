#include "analysis/page/page_head.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/files/compressed.h"
#include "labelprobe/files/text_table.h"

namespace labelprobe::analysis {

namespace {

using files::escape_html;

std::string section(std::string_view id, std::string_view title, const std::string& content) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n<h2 id=\"{0}-title\">{1}"
      "</h2>\n{2}</section>\n",
      id, title, content);
}

// A table that scrolls by itself where the window is narrow.
std::string scrolling(std::string_view name, const std::string& content) {
  return fmt::format(
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\n{}</div>\n",
      escape_html(name), content);
}

std::string folded(std::string_view title, const std::string& content) {
  return fmt::format("<details>\n<summary>{}</summary>\n{}</details>\n", escape_html(title),
                     content);
}

//   element  "ul", or "ol" where the lines are numbered
std::string list_of(const std::vector<std::string>& lines, std::string_view element) {
  std::string list = fmt::format("<{}>\n", element);
  for (const std::string& line : lines) list += "<li>" + escape_html(line) + "</li>\n";
  return list + fmt::format("</{}>\n", element);
}

std::string pictures_of(const std::vector<ReportFigure>& figures) {
  std::string pictures;
  for (const ReportFigure& figure : figures) {
    // As an image it can neither run scripts nor change the page's style.
    pictures += fmt::format(
        "<figure>\n<img alt=\"{0}\" src=\"data:image/svg+xml;base64,{1}\">\n<figcaption>{0}"
        "</figcaption>\n</figure>\n",
        escape_html(figure.name), files::base64(figure.svg));
  }
  return pictures;
}

std::string html_of(const files::TextTable& table) {
  std::ostringstream out;
  files::write_html(out, table);
  return out.str();
}

// "Run 1" of one among several.
std::string short_name(const ReportPage& page, std::size_t run) {
  return page.runs.size() == 1 ? "Run" : fmt::format("Run {}", run + 1);
}

// A table with a column per run; rows in which all runs have nothing are left out.
class RunTable {
 public:
  RunTable(const ReportPage& page, std::string_view first_column) : page_(page) {
    table_.columns.push_back({std::string(first_column), files::Align::Left});
    for (std::size_t run = 0; run < page.runs.size(); ++run) {
      table_.columns.push_back({short_name(page, run), files::Align::Left});
    }
  }

  void add(const std::string& name, const std::function<std::string(const ReportedRun&)>& text_of) {
    std::vector<std::string> texts = {name};
    for (const ReportedRun& run : page_.runs) texts.push_back(text_of(run));
    const bool is_empty = std::all_of(texts.begin() + 1, texts.end(),
                                      [](const std::string& text) { return text.empty(); });
    if (!is_empty) table_.rows.push_back(std::move(texts));
  }

  bool is_empty() const { return table_.rows.empty(); }
  std::string html(std::string_view name) const { return scrolling(name, html_of(table_)); }

 private:
  const ReportPage& page_;
  files::TextTable table_;
};

std::string joined(const std::set<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, "; "));
}

// What the processes that computed the run's items say of one thing, each answer once.
std::string of_provenance(const ReportedRun& run, std::string record::Provenance::*field) {
  std::set<std::string> texts;
  for (const record::Provenance& made : run.origin.provenance) {
    if (!(made.*field).empty()) texts.insert(made.*field);
  }
  return joined(texts);
}

// A number of four digits where the text is a longer one.
std::string rounded_text(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool is_number = !text.empty() && end == text.c_str() + text.size();
  return is_number ? fmt::format("{:.4g}", number) : text;
}

std::string data_files(const ReportedRun& run) {
  std::set<std::string> texts;
  for (const record::Provenance& made : run.origin.provenance) {
    for (const auto& [path, fingerprint] : made.data_files) {
      texts.insert(fmt::format("{} ({})", path, fingerprint));
    }
  }
  return joined(texts);
}

std::string option_text(const ReportedRun& run, const std::string& name) {
  const auto found = run.origin.options.find(name);
  return found == run.origin.options.end() ? "" : fmt::format("{}", fmt::join(found->second, ", "));
}

std::string metric_text(const ReportedRun& run, const std::string& name) {
  const auto found = run.origin.metrics.find(name);
  return found == run.origin.metrics.end() ? "" : rounded_text(found->second);
}

std::size_t n_failed(const ReportedRun& run) {
  const auto& items = run.log.items;
  return static_cast<std::size_t>(std::count_if(
      items.begin(), items.end(), [](const auto& item) { return item.failure.has_value(); }));
}

std::string overview(const ReportPage& page) {
  RunTable table(page, "");
  table.add("log", [](const ReportedRun& run) { return record::describe(run.log); });
  table.add("data set", [](const ReportedRun& run) { return run.task; });
  table.add("asked", [](const ReportedRun& run) { return run.log.plan; });
  table.add("model", [](const ReportedRun& run) { return run.log.model; });
  table.add("items", [](const ReportedRun& run) { return std::to_string(run.log.items.size()); });
  table.add("failed items", [](const ReportedRun& run) {
    return n_failed(run) == 0 ? "" : std::to_string(n_failed(run));
  });
  for (const char* name : {"shot", "seed", "sampling_strategy", "label_format", "prompt_mode"}) {
    table.add(name, [&](const ReportedRun& run) { return option_text(run, name); });
  }
  using record::Provenance;
  table.add("number type",
            [](const ReportedRun& run) { return of_provenance(run, &Provenance::dtype); });
  table.add("quantisation",
            [](const ReportedRun& run) { return of_provenance(run, &Provenance::quantization); });
  table.add("device",
            [](const ReportedRun& run) { return of_provenance(run, &Provenance::device_name); });
  for (const char* name : {"accuracy", "micro_f1", "macro_f1", "jaccard_score"}) {
    table.add(name, [&](const ReportedRun& run) {
      return metric_text(run, std::string("test_") + name);
    });
  }
  return table.html("Overview of the runs");
}

std::string provenance(const ReportPage& page) {
  using record::Provenance;
  RunTable table(page, "");
  for (const auto& [name, field] :
       {std::pair{"program", &Provenance::program}, std::pair{"libraries", &Provenance::backend},
        std::pair{"device", &Provenance::device}, std::pair{"generation", &Provenance::generation},
        std::pair{"model's hash", &Provenance::model_fingerprint},
        std::pair{"tokenizer's hash", &Provenance::tokenizer_fingerprint},
        std::pair{"prompts' hash", &Provenance::prompts_fingerprint}}) {
    table.add(name, [&](const ReportedRun& run) { return of_provenance(run, field); });
  }
  table.add("data files and hashes", data_files);
  return table.is_empty() ? "" : folded("What computed them", table.html("What computed them"));
}

std::string metrics(const ReportPage& page) {
  std::set<std::string> names;
  for (const ReportedRun& run : page.runs) {
    for (const auto& [name, value] : run.origin.metrics) names.insert(name);
  }
  RunTable table(page, "metric");
  for (const std::string& name : names) {
    table.add(name, [&](const ReportedRun& run) { return metric_text(run, name); });
  }
  const char* title = "All metrics of the answers";
  return table.is_empty() ? "" : folded(title, table.html(title));
}

std::string settings(const ReportPage& page) {
  std::set<std::string> names;
  for (const ReportedRun& run : page.runs) {
    for (const auto& [name, values] : run.origin.options) names.insert(name);
  }
  RunTable differing(page, "setting");
  RunTable all(page, "setting");
  for (const std::string& name : names) {
    const auto text_of = [&](const ReportedRun& run) { return option_text(run, name); };
    const std::string first = text_of(page.runs.front());
    const bool differs = std::any_of(page.runs.begin(), page.runs.end(),
                                     [&](const auto& run) { return text_of(run) != first; });
    if (differs) differing.add(name, text_of);
    all.add(name, text_of);
  }
  std::string html;
  if (!differing.is_empty()) {
    html += folded("Settings that differ", differing.html("Settings that differ"));
  }
  if (!all.is_empty()) html += folded("All settings", all.html("All settings"));
  return html;
}

std::string validity_table(const std::vector<ValidityRow>& rows) {
  files::TextTable table;
  table.columns = {{"measured", files::Align::Left}, {"value"}, {"n"}, {"", files::Align::Left}};
  for (const ValidityRow& row : rows) {
    table.rows.push_back(
        {row.name, row.is_share ? files::percent(row.value) : fmt::format("{:.4g}", row.value),
         std::to_string(row.n), row.is_doubtful ? "look at this" : ""});
  }
  return html_of(table);
}

}  // namespace

std::string runs_section(const ReportPage& page) {
  return section("runs", page.runs.size() == 1 ? "The run" : "The runs",
                 overview(page) + metrics(page) + settings(page) + provenance(page));
}

std::string notes_section(const ReportPage& page) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < page.runs.size(); ++i) {
    const ReportedRun& run = page.runs[i];
    const std::string name = page.runs.size() == 1 ? "" : short_name(page, i) + ": ";
    if (const std::size_t n = n_failed(run); n > 0) {
      lines.push_back(fmt::format("{}{} of {} items failed.", name, n, run.log.items.size()));
    }
    if (page.limit && *page.limit < run.log.items.size()) {
      lines.push_back(fmt::format("{}The first {} of {} items are listed; tables are of all.", name,
                                  *page.limit, run.log.items.size()));
    }
    if (!run.annotator_items.empty()) {
      lines.push_back(fmt::format(
          "{}{} items of single annotators are listed too; tables and figures are without them.",
          name, run.annotator_items.size()));
    }
    if (!run.inside.empty()) {
      lines.push_back(fmt::format("{}{} of {} items were seen inside the model.", name,
                                  run.inside.size(), run.log.items.size()));
    }
    for (const std::string& note : run.notes) lines.push_back(name + note);
  }
  for (const AlignmentTable& table : page.tables) {
    lines.insert(lines.end(), table.warnings.begin(), table.warnings.end());
  }
  return lines.empty() ? "" : section("notes", "Notes and warnings", list_of(lines, "ul"));
}

std::string tables_section(const ReportPage& page) {
  std::string tables;
  for (const AlignmentTable& table : page.tables) {
    std::ostringstream out;
    write_table(out, table, TableFormat::Html);
    tables += scrolling("Estimates against votes", out.str());
  }
  return tables.empty() ? "" : section("tables", "Against the votes", tables);
}

std::string validity_section(const ReportPage& page) {
  std::string tables;
  for (std::size_t i = 0; i < page.runs.size(); ++i) {
    const std::vector<ValidityRow>& rows = page.runs[i].validity;
    if (rows.empty()) continue;
    const auto n_doubtful =
        std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.is_doubtful; });
    const std::string title =
        short_name(page, i) + (n_doubtful == 0 ? "" : fmt::format(", {} to look at", n_doubtful));
    const std::string table = validity_table(rows);
    tables += folded(title, scrolling(title, table));
  }
  return tables.empty() ? "" : section("validity", "How far it can be trusted", tables);
}

std::string pictures_section(const ReportPage& page) {
  const std::string pictures = pictures_of(page.figures);
  return pictures.empty() ? "" : section("pictures", "Pictures", pictures);
}

std::string own_sections(const ReportPage& page) {
  std::string html;
  for (const ReportSection& own : page.sections) {
    std::string content;
    for (const std::string& text : own.paragraphs) {
      content += fmt::format("<p>{}</p>\n", escape_html(text));
    }
    if (own.table) content += scrolling(own.title, html_of(*own.table));
    content += pictures_of(own.figures);
    if (!own.notes.empty()) content += list_of(own.notes, "ol");
    for (const auto& [heading, text] : own.texts) {
      content += folded(heading, fmt::format("<pre>{}</pre>\n", escape_html(text)));
    }
    html += section(own.id, escape_html(own.title), content);
  }
  return html;
}

}  // namespace labelprobe::analysis
