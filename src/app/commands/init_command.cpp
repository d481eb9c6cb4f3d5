// labelprobe init: a draft of a task file, made of a look at a table.
#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/data/task_draft.h"
#include "labelprobe/files/output_file.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

struct InitFlags {
  std::string subject;
  std::string out_path = "-";
};

void declare_flags(OptionList& options, InitFlags& flags) {
  options.begin_group("Task file");
  options.add(
      flags.subject,
      {.name = "FILE",
       .help = "Table (csv, tsv, jsonl, json, parquet, xlsx), folder of tables, or data set of "
               "the Hugging Face hub",
       .is_required = true,
       .shown = Shown::First,
       .value = "FILE"});
  options.make_operand();
  options.add(flags.out_path, {.name = "out",
                               .help = "Write the task file here; never over one that is there; - "
                                       "= standard output",
                               .shown = Shown::First,
                               .value = "TASK.yaml"});
}

int init(const InitFlags& flags) {
  const std::filesystem::path path = flags.out_path;
  std::error_code error;
  const bool is_output = flags.out_path == "-";
  if (!is_output && std::filesystem::is_regular_file(path, error)) {
    throw ConfigError(
        fmt::format("--out: {} is there already; remove it or name another file", path.string()));
  }
  const std::filesystem::path folder = path.parent_path();
  const data::TaskDraft draft =
      data::draft_task(flags.subject, is_output || folder.empty() ? "." : folder);
  files::OutputFile file(path);
  file.stream() << draft.text;
  file.finish();
  return kSuccess;
}

}  // namespace

Command init_command() {
  return make_command<InitFlags>(
      {CommandGroup::Look, "init", "Draft a task file for a table of your own, to be checked",
       "labelprobe init tweets.csv --out tweets.yaml"},
      declare_flags, init);
}

}  // namespace labelprobe::app
