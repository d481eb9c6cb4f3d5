#include "app/commands/paper_files.h"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "labelprobe/analysis/figures.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/csv.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_file.h"

#include "app/python/python_scripts.h"
#include "app/python/python_tool.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

using analysis::PaperNumber;
using analysis::ReportSection;
using experiment::PaperPart;

std::string title_of(const PaperPart& part) {
  return fmt::format("{}: {}", part.title, part.summary);
}

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  files::OutputFile file(path);
  file.stream() << text;
  file.finish();
}

std::string read_text(const fs::path& path) {
  return std::string(files::open_file(path, "a file of the paper").text());
}

bool holds(const fs::path& path, const std::string& text) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && fs::file_size(path, ignored) == text.size() &&
         read_text(path) == text;
}

// --- Tables ---

std::string markdown_of(const PaperPart& part, const analysis::PaperTableText& text) {
  std::ostringstream out;
  out << "# " << title_of(part) << "\n\n";
  files::write_markdown(out, text.table);
  for (std::size_t i = 0; i < text.notes.size(); ++i) {
    out << fmt::format("{}({}) {}\n\n", i == 0 ? "\n" : "", i + 1, text.notes[i]);
  }
  return out.str();
}

ReportSection table_section(const PaperFiles& files,
                            const PaperPart& part,
                            const experiment::Paper& paper) {
  std::vector<PaperNumber> numbers;
  std::copy_if(paper.numbers.begin(), paper.numbers.end(), std::back_inserter(numbers),
               [&](const PaperNumber& number) { return number.table == part.name; });
  analysis::PaperTableText text = analysis::lay_out(numbers);
  const fs::path stem = files.folder / "tables" / std::string(part.name);
  write_text(stem.string() + ".md", markdown_of(part, text));
  std::ostringstream latex;
  files::write_latex(latex, text.table);
  write_text(stem.string() + ".tex", latex.str());
  ReportSection section;
  section.table = std::move(text.table);
  section.notes = std::move(text.notes);
  return section;
}

ReportSection prompt_section(const PaperFiles& files,
                             const PaperPart& part,
                             const std::vector<PaperPrompt>& prompts) {
  ReportSection section;
  if (prompts.empty()) section.paragraphs.emplace_back("No prompt could be made.");
  section.texts = prompts;
  std::string markdown = "# " + title_of(part) + "\n";
  for (const auto& [heading, text] : prompts) {
    markdown += fmt::format("\n## {}\n\n```\n{}\n```\n", heading, text);
  }
  write_text(files.folder / "tables" / (std::string(part.name) + ".md"), markdown);
  return section;
}

// --- Figures ---

// Draws the figure unless it is drawn from the same data. The picture as SVG; unset, and a sentence
// in `why`, where it cannot be drawn.
std::optional<std::string> draw(const PaperFiles& files,
                                const analysis::Figure& figure,
                                const fs::path& stem,
                                bool is_new,
                                std::string& why) {
  const fs::path svg = stem.string() + ".svg";
  std::error_code ignored;
  if (!is_new && fs::is_regular_file(svg, ignored)) return read_text(svg);
  if (files.is_data_only) {
    why = "--data-only";
    return std::nullopt;
  }
  const PythonTool python(files.python);
  if (!python.has_module("matplotlib")) {
    why = python.how_to_get("matplotlib");
    return std::nullopt;
  }
  std::vector<std::string> arguments = {stem.string() + ".json", stem.string()};
  if (!figure.shape.empty()) {
    arguments.insert(arguments.end(), {"--shape", std::string(figure.shape)});
  }
  try {
    python.run(kDrawFigure, arguments);
  } catch (const ConfigError& error) {
    why = error.what();
    return std::nullopt;
  }
  return read_text(svg);
}

ReportSection figure_section(const PaperFiles& files,
                             const experiment::PaperFigure& data,
                             std::vector<std::string>& not_drawn) {
  ReportSection section;
  section.notes = data.notes;
  if (data.rows.empty()) {
    section.paragraphs.emplace_back("There is no figure; what is missing:");
    return section;
  }
  const analysis::Figure& figure = analysis::find_figure(data.part->figure);
  const fs::path stem =
      files.folder / "figures" / fmt::format("{}-{}", data.part->name, figure.name);
  std::ostringstream csv;
  analysis::write_figure_csv(csv, data.rows);
  std::ostringstream json;
  analysis::write_figure_json(json, figure, data.inputs, data.rows);
  const bool is_new = !holds(stem.string() + ".json", json.str());
  write_text(stem.string() + ".csv", csv.str());
  write_text(stem.string() + ".json", json.str());
  std::string why;
  if (auto svg = draw(files, figure, stem, is_new, why)) {
    section.figures.push_back({std::string(figure.summary), std::move(*svg)});
  } else {
    not_drawn.push_back(fmt::format("{} is not drawn: {}", data.part->title, why));
    section.paragraphs.push_back(not_drawn.back());
  }
  section.paragraphs.push_back(fmt::format("Data: figures/{}", stem.filename().string() + ".csv"));
  return section;
}

const experiment::PaperFigure& figure_of(const experiment::Paper& paper, const PaperPart& part) {
  const auto found = std::find_if(paper.figures.begin(), paper.figures.end(),
                                  [&](const auto& figure) { return figure.part == &part; });
  LABELPROBE_CHECK(found != paper.figures.end());
  return *found;
}

}  // namespace

void write_paper_runs(const PaperFiles& files, const experiment::PaperRequest& request) {
  std::string text = "model,set,run,folder,experiment,missing\n";
  for (const experiment::PaperRun& run : request.runs) {
    const bool is_there = run.missing.empty();
    text += fmt::format(
        "{},{},{},{},{},{}\n", files::csv_field(request.models[run.cell.model]), run.cell.task,
        run.cell.kind->name, is_there ? files::csv_field(run.folder.string()) : "",
        is_there ? std::to_string(run.experiment_index) : "", files::csv_field(run.missing));
  }
  write_text(files.folder / "runs.csv", text);
}

std::vector<ReportSection> write_paper_parts(const PaperFiles& files,
                                             const std::vector<const PaperPart*>& parts,
                                             const experiment::Paper& paper,
                                             const std::vector<PaperPrompt>& prompts,
                                             std::vector<std::string>& not_drawn) {
  std::ostringstream numbers;
  analysis::write_paper_numbers(numbers, paper.numbers);
  write_text(files.folder / "numbers.csv", numbers.str());
  std::vector<ReportSection> sections;
  for (const PaperPart* part : parts) {
    files.progress(std::string(part->title));
    ReportSection section = part->name == "table3" ? prompt_section(files, *part, prompts)
                            : part->figure.empty()
                                ? table_section(files, *part, paper)
                                : figure_section(files, figure_of(paper, *part), not_drawn);
    section.id = "paper-" + std::string(part->name);
    section.title = title_of(*part);
    sections.push_back(std::move(section));
  }
  return sections;
}

fs::path write_paper_report(const PaperFiles& files,
                            analysis::ReportPage page,
                            std::vector<ReportSection> sections) {
  page.sections = std::move(sections);
  const fs::path path = files.folder / "report.html";
  files::OutputFile file(path);
  analysis::write_report(file.stream(), page);
  file.finish();
  return path;
}

}  // namespace labelprobe::app
