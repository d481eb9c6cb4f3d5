// labelprobe attention: where attention goes at label steps (Table 6).
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/analysis/attention_shares.h"
#include "labelprobe/analysis/named_runs.h"
#include "labelprobe/analysis/paper_numbers.h"
#include "labelprobe/analysis/table.h"
#include "labelprobe/core/error.h"
#include "labelprobe/files/output_file.h"
#include "labelprobe/files/text_table.h"

#include "app/commands/command.h"
#include "app/commands/published_lines.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

struct AttentionFlags {
  std::vector<std::string> runs;
  std::vector<std::string> names;
  std::string format;
  std::string out_path;
  std::string output;
  bool has_paper = false;
};

struct NamedAttention {
  std::string name;
  std::string set;
  fs::path folder;
  analysis::AttentionShares shares;
};

NamedAttention measure(const analysis::NamedRuns& named) {
  std::vector<record::ItemRecord> items;
  for (const record::LoggedRun& run : named.experiments) {
    items.insert(items.end(), run.items.begin(), run.items.end());
  }
  NamedAttention attention{named.name(), named.set, named.experiments.front().folder,
                           analysis::mean_attention(items)};
  if (attention.shares.n_steps == 0) {
    throw DataError(fmt::format(
        "{}: expected items with test_label_v_input_attn and two label steps, found none: run with "
        "--attention",
        record::describe(named.experiments.front())));
  }
  return attention;
}

files::TextTable make_table(const std::vector<NamedAttention>& all, bool is_exact) {
  files::TextTable table;
  table.columns = {{"run", files::Align::Left}};
  for (const analysis::AttentionColumn& column : analysis::attention_columns()) {
    table.columns.push_back({std::string(is_exact ? column.name : column.title)});
  }
  table.columns.push_back({"items"});
  table.columns.push_back({"steps"});
  for (const NamedAttention& one : all) {
    std::vector<std::string> row = {one.name};
    for (const analysis::AttentionColumn& column : analysis::attention_columns()) {
      const std::optional<double>& share = one.shares.*column.share;
      row.push_back(!share     ? ""
                    : is_exact ? fmt::format("{}", *share)
                               : fmt::format("{:.3f}%", 100 * *share));
    }
    row.push_back(std::to_string(one.shares.n_items));
    row.push_back(std::to_string(one.shares.n_steps));
    table.rows.push_back(std::move(row));
  }
  return table;
}

void write(std::ostream& out,
           const std::vector<NamedAttention>& all,
           analysis::TableFormat format,
           bool has_paper) {
  using analysis::TableFormat;
  const files::TextTable table = make_table(all, format == TableFormat::Csv);
  switch (format) {
    case TableFormat::Csv:
      return files::write_csv(out, table);
    case TableFormat::Markdown:
      return files::write_markdown(out, table);
    case TableFormat::Latex:
      return files::write_latex(out, table);
    case TableFormat::Html:
      return files::write_html(out, table);
    case TableFormat::Json:
      throw ConfigError("--format: expected terminal, markdown, csv, latex or html, found json");
    case TableFormat::Terminal:
      break;
  }
  files::write_terminal(out, table);
  out << "\nattention that one token gets, the mean over label steps from the second on\n";
  for (const analysis::AttentionColumn& column : analysis::attention_columns()) {
    out << fmt::format("{}: {}\n", column.title, column.summary);
  }
  if (!has_paper) return;
  for (const NamedAttention& one : all) write_published(out, "table6", one.set);
}

analysis::TableFormat choose_format(const AttentionFlags& flags) {
  if (!flags.format.empty()) return analysis::parse_table_format(flags.format);
  return flags.out_path.empty() || flags.out_path == "-" ? analysis::TableFormat::Terminal
                                                         : analysis::format_of_file(flags.out_path);
}

int tell_attention(const AttentionFlags& flags) {
  const analysis::TableFormat format = choose_format(flags);
  std::vector<NamedAttention> all;
  for (const analysis::NamedRuns& named : analysis::read_all_named(flags.runs, flags.names)) {
    all.push_back(measure(named));
  }
  files::OutputFile file(flags.out_path.empty() ? "-" : flags.out_path);
  write(file.stream(), all, format, flags.has_paper);
  file.finish();
  if (flags.output.empty()) return kSuccess;
  fs::create_directories(flags.output);
  for (const NamedAttention& one : all) {
    files::OutputFile text(fs::path(flags.output) /
                           (one.folder.filename().string() + "_attn_weights.txt"));
    text.stream() << analysis::attention_text(one.shares);
    text.finish();
  }
  return kSuccess;
}

void declare_flags(OptionList& options, AttentionFlags& flags) {
  options.add(flags.runs,
              {.name = "RUN_FOLDER",
               .help = "Log folders of runs with --attention, all experiments of each taken "
                       "together; FOLDER/experiment_K = one of them",
               .is_required = true,
               .shown = Shown::First,
               .value = "FOLDER"});
  options.make_operand();
  options.begin_group("Output");
  options.add(flags.names, {.name = "name",
                            .help = "What to call each run (default: SET/MODEL)",
                            .shown = Shown::First,
                            .value = "NAME"});
  declare_published(options, flags.has_paper);
  options.add(flags.format, {.name = "format",
                             .help = "terminal, markdown, csv, latex or html (default: by the "
                                     "ending of --out)",
                             .shown = Shown::First,
                             .value = "FORMAT",
                             .choices = {"terminal", "markdown", "csv", "latex", "html"}});
  options.add(flags.out_path, {.name = "out",
                               .help = "File to write (default: standard output)",
                               .shown = Shown::First,
                               .value = "FILE"});
  options.add(flags.output, {.name = "output",
                             .help = "Write the published files as well: FOLDER_attn_weights.txt",
                             .value = "FOLDER"});
}

}  // namespace

Command attention_command() {
  return make_command<AttentionFlags>(
      {CommandGroup::Analyse, "attention",
       "Tell how much attention prompt and earlier labels get at label steps (Table 6)",
       "labelprobe attention logs/GoEmotions/example_0 --paper"},
      declare_flags, tell_attention);
}

}  // namespace labelprobe::app
