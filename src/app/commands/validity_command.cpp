// labelprobe validity: how far the probabilities of runs can be trusted.
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/analysis/validity.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_table.h"
#include "labelprobe/record/logged_run.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

struct Arguments {
  std::vector<std::string> runs;
  std::string out;
};

void show(const record::LoggedRun& run, const std::vector<analysis::ValidityRow>& rows) {
  std::cout << fmt::format("{}, experiment {}: {}, {} items\n", run.folder.string(), run.index,
                           run.plan, run.items.size());
  files::TextTable table;
  table.columns = {{"measured", files::Align::Left}, {"value"}, {"n"}, {"", files::Align::Left}};
  for (const analysis::ValidityRow& row : rows) {
    table.rows.push_back(
        {row.name, row.is_share ? files::percent(row.value) : fmt::format("{:.4g}", row.value),
         std::to_string(row.n), row.is_doubtful ? "look at this" : ""});
  }
  files::write_terminal(std::cout, table, {.indent = "  ", .empty = ""});
}

void write_lines(const std::vector<record::LoggedRun>& runs,
                 const std::vector<std::vector<analysis::ValidityRow>>& rows,
                 const std::string& out) {
  files::OutputFile file(out);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const analysis::ValidityRow& row : rows[i]) {
      const nlohmann::ordered_json line = {{"run", runs[i].folder.string()},
                                           {"experiment", runs[i].index},
                                           {"measured", row.name},
                                           {"value", row.value},
                                           {"n", row.n},
                                           {"is_doubtful", row.is_doubtful}};
      file.stream() << line.dump() << '\n';
    }
  }
  file.finish();
}

int run(const Arguments& arguments) {
  std::vector<record::LoggedRun> runs;
  std::vector<std::vector<analysis::ValidityRow>> rows;
  for (const std::string& name : arguments.runs) {
    const record::RunName named = record::parse_run_name(name);
    runs.push_back(record::read_run(named.folder, named.index, record::Annotators::All));
    rows.push_back(analysis::measure_validity(runs.back().items));
  }
  if (!arguments.out.empty()) {
    write_lines(runs, rows, arguments.out);
    return kSuccess;
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (i > 0) std::cout << '\n';
    show(runs[i], rows[i]);
  }
  return kSuccess;
}

void declare_arguments(OptionList& options, Arguments& arguments) {
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
  return make_command<Arguments>(
      {CommandGroup::Analyse, "validity",
       "Tell how far the probabilities of runs can be trusted: answers found, label mass, "
       "disagreements",
       "labelprobe validity logs/GoEmotions/baseline_0"},
      declare_arguments, run);
}

}  // namespace labelprobe::app
