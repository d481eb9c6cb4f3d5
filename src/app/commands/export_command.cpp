// labelprobe export: the items of runs as tables, for notebooks and other programs.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/analysis/every_eval_ever.h"
#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/record/export.h"

#include "app/commands/command.h"
#include "app/python/python_scripts.h"
#include "app/python/python_tool.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

enum class ExportFormat { Parquet, Csv, JsonLines, EveryEvalEver };
constexpr auto kExportFormats =
    enum_names<ExportFormat>("format",
                             {{ExportFormat::Parquet, "parquet"},
                              {ExportFormat::Csv, "csv"},
                              {ExportFormat::JsonLines, "jsonl"},
                              {ExportFormat::EveryEvalEver, "every-eval-ever"}});

constexpr std::size_t kRowsOfGroup = 65'536;

struct ExportFlags {
  std::vector<std::string> runs;
  ExportFormat format = ExportFormat::Csv;
  std::string folder;
  std::vector<std::string> tables;
  std::string python;
  analysis::EvalSource source;
};

std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const record::ExportTable& table : record::export_tables()) names.emplace_back(table.name);
  return names;
}

std::vector<const record::ExportTable*> choose_tables(const std::vector<std::string>& asked) {
  const std::vector<std::string> known = table_names();
  for (const std::string& name : asked) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw ConfigError("--tables: " + unknown_choice("table", name, known));
    }
  }
  std::vector<const record::ExportTable*> chosen;
  for (const record::ExportTable& table : record::export_tables()) {
    if (asked.empty() || std::find(asked.begin(), asked.end(), table.name) != asked.end()) {
      chosen.push_back(&table);
    }
  }
  return chosen;
}

// A table that is being written. Of Parquet first the batches that a Python makes it of.
class TableFile {
 public:
  TableFile(const record::ExportTable& table, const ExportFlags& flags)
      : table_(table),
        path_(fs::path(flags.folder) /
              fmt::format("{}.{}", table.name, kExportFormats.name_of(flags.format))),
        batches_(path_.string() + ".batches"),
        is_parquet_(flags.format == ExportFormat::Parquet),
        file_(is_parquet_ ? batches_ : path_) {
    if (is_parquet_) {
      writer_ = record::write_batches(file_.stream(), table.columns, kRowsOfGroup);
    } else if (flags.format == ExportFormat::Csv) {
      writer_ = record::write_csv_rows(file_.stream(), table.columns);
    } else {
      writer_ = record::write_json_rows(file_.stream(), table.columns);
    }
  }

  void add(const record::LoggedRun& run) {
    table_.for_each_row(run, [&](const record::Row& row) {
      writer_->add(row);
      ++n_rows_;
    });
  }

  void finish(const PythonTool& python) {
    writer_->finish();
    file_.finish();
    if (is_parquet_) convert(python);
    std::cout << fmt::format("{}: {} rows\n", path_.string(), n_rows_);
  }

 private:
  void convert(const PythonTool& python) const {
    const fs::path partial = path_.string() + ".partial";
    try {
      python.run(kToParquet, {batches_.string(), partial.string()});
    } catch (const ConfigError&) {
      fs::remove(batches_);
      fs::remove(partial);
      throw;
    }
    fs::rename(partial, path_);
    fs::remove(batches_);
  }

  const record::ExportTable& table_;
  fs::path path_;
  fs::path batches_;
  bool is_parquet_;
  files::OutputFile file_;
  std::unique_ptr<record::RowWriter> writer_;
  std::size_t n_rows_ = 0;
};

record::LoggedRun read_run(const std::string& given, record::Annotators annotators) {
  const record::RunName named = record::parse_run_name(given);
  return record::read_run(named.folder, named.index, annotators);
}

// Every Eval Ever: two files for each run.
void export_evals(const ExportFlags& flags) {
  for (const std::string& given : flags.runs) {
    const record::LoggedRun run = read_run(given, record::Annotators::Aggregate);
    const analysis::EvalRun eval = analysis::prepare_eval(run);
    const fs::path folder = flags.folder;
    fs::create_directories(folder / eval.file.parent_path());
    files::OutputFile samples(folder / eval.samples_file);
    analysis::write_eval_samples(samples.stream(), eval);
    samples.finish();
    files::OutputFile file(folder / eval.file);
    analysis::write_eval(file.stream(), eval, flags.source);
    file.finish();
    std::cout << (folder / eval.file).string() << '\n';
  }
}

void export_tables(const ExportFlags& flags) {
  const PythonTool python(flags.python);
  if (flags.format == ExportFormat::Parquet && !python.has_module("pyarrow")) {
    throw ConfigError("--format parquet: " + python.how_to_get("pyarrow") +
                      "; csv and jsonl need no Python");
  }
  fs::create_directories(flags.folder);
  std::vector<std::unique_ptr<TableFile>> files;
  for (const record::ExportTable* table : choose_tables(flags.tables)) {
    files.push_back(std::make_unique<TableFile>(*table, flags));
  }
  for (const std::string& given : flags.runs) {
    const record::LoggedRun run = read_run(given, record::Annotators::All);
    for (const auto& file : files) file->add(run);
  }
  for (const auto& file : files) file->finish(python);
}

int export_runs(const ExportFlags& flags) {
  if (flags.format == ExportFormat::EveryEvalEver) {
    export_evals(flags);
  } else {
    export_tables(flags);
  }
  return kSuccess;
}

void declare_source(OptionList& options, analysis::EvalSource& source) {
  options.begin_group("Every Eval Ever");
  options.add(
      source.organization,
      {.name = "organization", .help = "Who evaluated", .fallback = "unknown", .value = "NAME"});
  const std::vector<std::string> known(std::begin(analysis::kEvaluatorRelationships),
                                       std::end(analysis::kEvaluatorRelationships));
  options.add_parsed(source.relationship,
                     {.name = "relationship",
                      .help = "How the evaluator stands to the model's maker",
                      .fallback = "third_party",
                      .choices = known},
                     [known](const std::string& name) {
                       if (std::find(known.begin(), known.end(), name) == known.end()) {
                         throw ConfigError(unknown_choice("relationship", name, known));
                       }
                       return name;
                     });
}

void declare_flags(OptionList& options, ExportFlags& flags) {
  options.add(flags.runs,
              {.name = "RUN_FOLDER",
               .help = "Log folders; FOLDER/experiment_K names one experiment, else the last",
               .is_required = true,
               .shown = Shown::First,
               .value = "FOLDER"});
  options.make_operand();
  options.begin_group("Tables");
  options.add_parsed(
      flags.format,
      {.name = "format",
       .help = "parquet (needs a Python with pyarrow), csv or jsonl; every-eval-ever: "
               "that project's schema, version 0.3.0",
       .is_required = true,
       .shown = Shown::First,
       .value = "FORMAT",
       .choices = kExportFormats.names()},
      [](const std::string& name) { return kExportFormats.parse(name); });
  options.add(flags.folder, {.name = "out",
                             .help = "Folder for the tables, each a file of its name",
                             .is_required = true,
                             .shown = Shown::First,
                             .value = "FOLDER"});
  options.add(flags.tables,
              {.name = "tables",
               .help = "Only these: items (a row per item), steps (per item, label step and "
                       "label), values (per other number of an item); default: all",
               .shown = Shown::First,
               .value = "TABLE",
               .choices = table_names()});
  options.add(flags.python, {.name = "python",
                             .help = "The Python that writes Parquet (default: python3)",
                             .shown = Shown::First,
                             .value = "PROGRAM"});
  declare_source(options, flags.source);
}

}  // namespace

Command export_command() {
  return make_command<ExportFlags>(
      {CommandGroup::Analyse, "export",
       "Write runs as tables for notebooks (Parquet, CSV, JSON lines) or for Every Eval Ever",
       "labelprobe export logs/GoEmotions/example_0 --format csv --out tables"},
      declare_flags, export_runs);
}

}  // namespace labelprobe::app
