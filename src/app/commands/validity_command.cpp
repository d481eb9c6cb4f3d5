// labelprobe validity: how far the probabilities of runs can be trusted.
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/analysis/label_matrix.h"
#include "labelprobe/analysis/validity.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/record/logged_run.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

struct ValidityArguments {
  std::vector<std::string> runs;
  std::string out;
};

struct Measured {
  record::LoggedRun run;
  std::vector<analysis::ValidityRow> rows;
  std::vector<analysis::LabelMatrix> matrices;
};

void show(const Measured& measured) {
  const record::LoggedRun& run = measured.run;
  std::cout << fmt::format("{}, experiment {}: {}, {} items\n", run.folder.string(), run.index,
                           run.plan, run.items.size());
  files::TextTable table;
  table.columns = {{"measured", files::Align::Left}, {"value"}, {"n"}, {"", files::Align::Left}};
  for (const analysis::ValidityRow& row : measured.rows) {
    table.rows.push_back(
        {row.name, row.is_share ? files::percent(row.value) : fmt::format("{:.4g}", row.value),
         std::to_string(row.n), row.is_doubtful ? "look at this" : ""});
  }
  files::write_terminal(std::cout, table, {.indent = "  ", .empty = ""});
}

// Rows are labels put first, columns the labels that follow.
void show(const analysis::LabelMatrix& matrix) {
  std::cout << fmt::format(
      "\n  {} ({}), mean over {} items: rows were put first, columns follow; ends: the answer "
      "ends there\n",
      matrix.readout, record::kNormalisations.name_of(matrix.normalisation), matrix.n);
  files::TextTable table;
  table.columns = {{"first", files::Align::Left}};
  for (const std::string& label : matrix.labels) table.columns.push_back({label});
  table.columns.push_back({"ends"});
  table.columns.push_back({"n"});
  const auto add = [&](const std::string& first, const std::vector<double>& next,
                       const std::string& ends, std::size_t n) {
    std::vector<std::string>& row = table.rows.emplace_back();
    row.push_back(first);
    for (const double prob : next) row.push_back(n == 0 ? "" : fmt::format("{:.3f}", prob));
    row.push_back(ends);
    row.push_back(std::to_string(n));
  };
  add("(nothing)", matrix.unforced, "", matrix.n);
  for (const analysis::LabelMatrix::Row& row : matrix.rows) {
    add(row.first, row.next, row.n == 0 ? "" : fmt::format("{:.3f}", row.ends), row.n);
  }
  files::write_terminal(std::cout, table, {.indent = "  "});
  const analysis::LabelMatrix::Asymmetry asymmetry = matrix.asymmetry();
  std::cout << fmt::format("  a label behind itself: {:.3f} in the mean\n", matrix.mean_repeat());
  if (asymmetry.first.empty()) return;
  std::cout << fmt::format(
      "  a pair in one order and in the other: {:.3f} apart in the mean, at most {:.3f} ({} behind "
      "{})\n",
      asymmetry.mean, asymmetry.largest, asymmetry.next, asymmetry.first);
}

// What is measured of a run, and its matrices number by number.
std::vector<analysis::ValidityRow> rows_of(const Measured& measured) {
  std::vector<analysis::ValidityRow> rows = measured.rows;
  for (const analysis::LabelMatrix& matrix : measured.matrices) {
    const auto add = [&](const std::string& name, double value, std::size_t n) {
      rows.push_back({fmt::format("{}: {}", matrix.readout, name), value, n});
    };
    for (std::size_t i = 0; i < matrix.labels.size(); ++i) {
      add(matrix.labels[i] + " first", matrix.unforced[i], matrix.n);
    }
    for (const analysis::LabelMatrix::Row& row : matrix.rows) {
      if (row.n == 0) continue;
      for (std::size_t i = 0; i < row.next.size(); ++i) {
        add(fmt::format("{} behind {}", matrix.labels[i], row.first), row.next[i], row.n);
      }
      add("the answer ends behind " + row.first, row.ends, row.n);
    }
  }
  return rows;
}

void write_lines(const std::vector<Measured>& runs, const std::string& out) {
  files::OutputFile file(out);
  for (const Measured& measured : runs) {
    for (const analysis::ValidityRow& row : rows_of(measured)) {
      const nlohmann::ordered_json line = {{"run", measured.run.folder.string()},
                                           {"experiment", measured.run.index},
                                           {"measured", row.name},
                                           {"value", row.value},
                                           {"n", row.n},
                                           {"is_doubtful", row.is_doubtful}};
      file.stream() << line.dump() << '\n';
    }
  }
  file.finish();
}

int run(const ValidityArguments& arguments) {
  std::vector<Measured> runs;
  for (const std::string& name : arguments.runs) {
    const record::RunName named = record::parse_run_name(name);
    Measured& measured = runs.emplace_back();
    measured.run = record::read_run(named.folder, named.index, record::Annotators::All);
    measured.rows = analysis::measure_validity(measured.run.items);
    measured.matrices = analysis::mean_matrices(measured.run.items);
  }
  if (!arguments.out.empty()) {
    write_lines(runs, arguments.out);
    return kSuccess;
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (i > 0) std::cout << '\n';
    show(runs[i]);
    for (const analysis::LabelMatrix& matrix : runs[i].matrices) show(matrix);
  }
  return kSuccess;
}

void declare_arguments(OptionList& options, ValidityArguments& arguments) {
  options.begin_group("Validity");
  options.add(arguments.runs,
              {.name = "RUN_FOLDER",
               .help = "Log folders; FOLDER/experiment_K names one experiment, else "
                       "the last",
               .is_required = true,
               .shown = Shown::First});
  options.make_operand();
  options.add(arguments.out, {.name = "out",
                              .help = "Write JSON lines to this file; - = standard output",
                              .shown = Shown::First,
                              .value = "FILE"});
}

}  // namespace

Command validity_command() {
  return make_command<ValidityArguments>(
      {CommandGroup::Analyse, "validity",
       "Tell how far the probabilities of runs can be trusted: answers found, label mass, "
       "disagreements",
       "labelprobe validity logs/GoEmotions/baseline_0"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
