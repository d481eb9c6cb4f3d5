// labelprobe ids: draws the examples that runs are to be compared on.
#include <iostream>
#include <memory>

#include "labelprobe/core/error.h"
#include "labelprobe/data/evaluation_list.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_table.h"

#include "app/commands/command.h"
#include "app/options/run_options.h"

namespace labelprobe::app {

namespace {

struct IdsFlags {
  std::string task;
  DataSettings data;
  int n = 0;
  std::int64_t seed = 0;
  std::string rule;
  std::string out_path;
};

std::string describe(const data::ListCell& cell) {
  return cell.group + (cell.votes.empty() ? "" : ", " + cell.votes);
}

void print_cells(std::ostream& out, const data::EvaluationList& list) {
  files::TextTable table;
  table.columns = {{"examples with", files::Align::Left}, {"there are"}, {"wanted"}, {"drawn"}};
  for (const data::ListCell& cell : list.cells) {
    table.rows.push_back({describe(cell), std::to_string(cell.n_available),
                          std::to_string(cell.n_wanted), std::to_string(cell.n_drawn)});
  }
  files::write_terminal(out, table, {.indent = "  "});
  for (const data::ListCell& cell : list.cells) {
    if (cell.n_available < cell.n_wanted) {
      out << "  too few: " << describe(cell) << ": wanted " << cell.n_wanted << ", found "
          << cell.n_available << "; the others make up for them\n";
    }
  }
}

// What an equal share of the disputed examples would need, where it was not looked at.
void print_votes_note(std::ostream& out,
                      const std::string& task,
                      data::ListRule rule,
                      const data::DatasetOptions& options,
                      std::size_t n_left_out) {
  if (rule == data::ListRule::Main && data::task_info(task).has_annotators &&
      options.annotation_mode == data::AnnotationMode::Aggregate) {
    out << "  whether annotators agree was not looked at (--annotation-mode both reads them)\n";
  }
  if (n_left_out > 0) {
    out << "  left out: " << n_left_out << " examples with fewer than two annotators\n";
  }
}

void write_ids(const std::string& path, const std::vector<std::string>& ids) {
  if (path != "-") {
    files::Disk().make_folders(std::filesystem::absolute(path).parent_path());
  }
  files::OutputFile file(path);
  for (const std::string& id : ids) {
    file.stream() << id << '\n';
  }
  file.finish();
}

int draw_ids(const IdsFlags& flags) {
  const data::ListRule rule = data::parse_list_rule(flags.rule);
  const data::DatasetOptions& options = flags.data.test;
  if (options.splits.empty()) {
    throw ConfigError(flags.task + ": expected --test-splits, the splits to draw from, found none");
  }
  const data::Dataset dataset = data::load(flags.task, options);
  const data::EvaluationList list = data::draw_evaluation_list(dataset, rule, flags.n, flags.seed);
  write_ids(flags.out_path, list.example_ids);
  std::ostream& out = flags.out_path == "-" ? std::cerr : std::cout;
  out << dataset.name << ": " << list.example_ids.size() << " ids, rule " << flags.rule << ", seed "
      << flags.seed << '\n';
  print_cells(out, list);
  print_votes_note(out, flags.task, rule, options, list.n_left_out);
  for (const std::string& warning : dataset.notes.warnings) {
    out << "  note: " << warning << '\n';
  }
  return kSuccess;
}

void declare_flags(OptionList& options, IdsFlags& flags) {
  declare_task(options, flags.task);
  options.begin_group("List");
  options.add(flags.n,
              {.name = "n", .help = "How many ids", .fallback = "200", .shown = Shown::First});
  options.add(flags.seed, {.name = "draw_seed",
                           .help = "Seed of the draws",
                           .fallback = "0",
                           .shown = Shown::First,
                           .flag = "seed"});
  options.add(flags.rule,
              {.name = "rule",
               .help = "main: equal thirds with no, one and several labels (or equal shares of the "
                       "classes), half of each disputed among its annotators; multilabel: only "
                       "examples with several labels",
               .fallback = "main",
               .shown = Shown::First,
               .choices = {"main", "multilabel"}});
  options.add(flags.out_path, {.name = "out",
                               .help = "File to write; - = standard output",
                               .fallback = "-",
                               .shown = Shown::First,
                               .value = "FILE"});
  declare_data(options, flags.data);
}

}  // namespace

Command ids_command() {
  return make_command<IdsFlags>(
      {CommandGroup::Look, "ids",
       "Draw a balanced list of example ids that runs are to be compared on",
       "labelprobe ids Hatexplain --root-dir data/HateXplain --test-splits test --annotation-mode "
       "both --n 200 --out my_ids.txt"},
      declare_flags, draw_ids);
}

}  // namespace labelprobe::app
