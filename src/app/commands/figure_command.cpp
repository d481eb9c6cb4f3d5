// labelprobe figure: the paper's figures of one's own runs, data first, then drawn.
#include <charconv>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/analysis/figures.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"
#include "app/python/python_scripts.h"
#include "app/python/python_tool.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct FigureFlags {
  std::string figure;
  std::vector<std::string> inputs;
  std::string folder;
  std::vector<std::string> names;
  analysis::FigureOptions options;
  std::vector<std::string> n_most;
  bool is_union = false;
  std::string shape;
  bool has_no_legend = false;
  bool has_no_xtitle = false;
  bool is_data_only = false;
  std::string python;
};

std::vector<int> parse_numbers(const std::vector<std::string>& given) {
  std::vector<int> numbers;
  for (const std::string& text : given) {
    int number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || number < 1) {
      throw ConfigError(fmt::format("--max-rank: expected a number, 1 or more, found '{}'", text));
    }
    numbers.push_back(number);
  }
  return numbers;
}

analysis::FigureRows make_rows(const analysis::Figure& figure, const FigureFlags& flags) {
  if (figure.of_alignments) {
    return figure.of_alignments(analysis::read_alignments(flags.inputs, flags.names));
  }
  analysis::FigureOptions options = flags.options;
  options.n_most_steps = parse_numbers(flags.n_most);
  options.range = flags.is_union ? analysis::StepRange::All : analysis::StepRange::Common;
  return figure.of_runs(analysis::read_all_named(flags.inputs, flags.names), options);
}

void write_file(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  files::OutputFile file(path);
  write(file.stream());
  file.finish();
  std::cout << path.string() << '\n';
}

void draw(const analysis::Figure& figure, const FigureFlags& flags, const fs::path& stem) {
  const PythonTool python(flags.python);
  if (!python.has_module("matplotlib")) {
    throw ConfigError(fmt::format("{} is not drawn, its data are written: {}", figure.name,
                                  python.how_to_get("matplotlib")));
  }
  std::vector<std::string> arguments = {stem.string() + ".json", stem.string()};
  const std::string shape = flags.shape.empty() ? std::string(figure.shape) : flags.shape;
  if (!shape.empty()) arguments.insert(arguments.end(), {"--shape", shape});
  if (flags.has_no_legend) arguments.emplace_back("--no-legend");
  if (flags.has_no_xtitle) arguments.emplace_back("--no-xtitle");
  python.run(kDrawFigure, arguments);
  for (const char* ending : {".pdf", ".svg", ".png"}) std::cout << stem.string() << ending << '\n';
}

int make_figure(const FigureFlags& flags) {
  const analysis::Figure& figure = analysis::find_figure(flags.figure);
  const analysis::FigureRows rows = make_rows(figure, flags);
  if (rows.empty()) {
    throw DataError(
        fmt::format("{}: nothing to show in {}", figure.name, fmt::join(flags.inputs, ", ")));
  }
  fs::create_directories(flags.folder);
  const fs::path stem = fs::path(flags.folder) / figure.name;
  write_file(stem.string() + ".csv",
             [&](std::ostream& out) { analysis::write_figure_csv(out, rows); });
  write_file(stem.string() + ".json", [&](std::ostream& out) {
    analysis::write_figure_json(out, figure, flags.inputs, rows);
  });
  if (!flags.is_data_only) draw(figure, flags, stem);
  return kSuccess;
}

std::vector<std::string> figure_names() {
  std::vector<std::string> names;
  for (const analysis::Figure& figure : analysis::figures()) names.emplace_back(figure.name);
  return names;
}

void declare_look(OptionList& options, FigureFlags& flags) {
  options.begin_group("Look");
  options.add(flags.shape, {.name = "shape",
                            .help = "How distributions are drawn: violin, box or both (default: as "
                                    "in the paper)",
                            .value = "SHAPE",
                            .choices = {"violin", "box", "both"}});
  options.add(flags.has_no_legend, {.name = "no_legend", .help = "Leave the legend out"});
  options.add(flags.has_no_xtitle, {.name = "no_xtitle", .help = "Leave the title of x out"});
  options.add(flags.is_data_only,
              {.name = "data_only", .help = "Write the data and draw nothing; needs no Python"});
  options.add(flags.python, {.name = "python",
                             .help = "A Python with matplotlib, which draws (default: python3)",
                             .shown = Shown::First,
                             .value = "PROGRAM"});
}

void declare_flags(OptionList& options, FigureFlags& flags) {
  options.add(flags.figure, {.name = "FIGURE",
                             .help = fmt::format("{} (see: labelprobe ls figures)",
                                                 fmt::join(figure_names(), ", ")),
                             .is_required = true,
                             .shown = Shown::First,
                             .choices = figure_names()});
  options.make_operand();
  options.add(flags.inputs,
              {.name = "INPUT",
               .help = "Log folders, all experiments of each taken together (FOLDER/experiment_K = "
                       "one of them); binary, base_chat: tables of labelprobe align --out F.json",
               .is_required = true,
               .shown = Shown::First,
               .value = "FOLDER"});
  options.make_operand();
  options.begin_group("Figure");
  options.add(flags.folder, {.name = "out",
                             .help = "Folder for FIGURE.csv and .json (its data), .pdf, .svg, .png",
                             .is_required = true,
                             .shown = Shown::First,
                             .value = "FOLDER"});
  options.add(flags.names, {.name = "name",
                            .help = "What to call each input: SET/MODEL, or MODEL (default: as "
                                    "its log tells)",
                            .shown = Shown::First,
                            .value = "NAME"});
  options.add(flags.options.steps.removes_none,
              {.name = "remove_none",
               .help = "Label steps: stop at the first whose likeliest label is none"});
  options.add(
      flags.is_union,
      {.name = "union",
       .help = "Label steps: those too that are only last ones, or only intermediate ones"});
  options.add(flags.n_most, {.name = "max_rank",
                             .help = "Label steps: only the first N; one number, or one per input",
                             .value = "N"});
  declare_look(options, flags);
}

}  // namespace

Command figure_command() {
  return make_command<FigureFlags>(
      {CommandGroup::Analyse, "figure",
       "Make a figure of the paper of one's own runs: data, then PDF, SVG and PNG",
       "labelprobe figure top logs/GoEmotions/example_0 --out figures"},
      declare_flags, make_figure);
}

}  // namespace labelprobe::app
