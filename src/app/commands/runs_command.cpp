// labelprobe runs: the logs below a folder, at a glance.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "labelprobe/files/text_table.h"
#include "labelprobe/record/run_list.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

struct RunsFlags {
  std::string root;
  bool is_json = false;
  bool verifies = false;
};

void declare_flags(OptionList& options, RunsFlags& flags) {
  options.add(flags.root, {.name = "ROOT",
                           .help = "Folder that the logs are below",
                           .fallback = "./logs",
                           .shown = Shown::First,
                           .value = "FOLDER"});
  options.make_operand();
  options.begin_group("List");
  options.add(flags.is_json,
              {.name = "json", .help = "One JSON object per experiment", .shown = Shown::First});
  options.add(flags.verifies,
              {.name = "verify",
               .help = "Read every finished log and compare it with its checksums, not only its "
                       "size",
               .shown = Shown::First});
}

std::string spelled(const std::optional<std::size_t>& number) {
  return number ? std::to_string(*number) : "";
}

// "20 of 40" of a run that is not finished.
std::string describe_items(const record::ListedRun& run) {
  return run.n_wanted ? spelled(run.n_items) + " of " + spelled(run.n_wanted)
                      : spelled(run.n_items);
}

nlohmann::json as_json(const record::ListedRun& run) {
  nlohmann::json object = {{"folder", run.folder.string()},
                           {"state", name_of(run.state)},
                           {"model", run.model},
                           {"plan", run.plan},
                           {"date", run.date},
                           {"finding", run.finding}};
  if (!run.shards.empty()) object["shards"] = run.shards;
  object["experiment"] = run.index ? nlohmann::json(*run.index) : nlohmann::json();
  object["items"] = run.n_items ? nlohmann::json(*run.n_items) : nlohmann::json();
  object["items_failed"] = run.n_failed ? nlohmann::json(*run.n_failed) : nlohmann::json();
  object["items_wanted"] = run.n_wanted ? nlohmann::json(*run.n_wanted) : nlohmann::json();
  return object;
}

void print_table(const std::vector<record::ListedRun>& runs) {
  files::TextTable table;
  table.columns = {{"folder", files::Align::Left},
                   {"experiment"},
                   {"state", files::Align::Left},
                   {"items"},
                   {"failed"},
                   {"plan", files::Align::Left},
                   {"model", files::Align::Left},
                   {"date", files::Align::Left}};
  for (const record::ListedRun& run : runs) {
    table.rows.push_back({run.folder.string(), run.index ? std::to_string(*run.index) : "",
                          name_of(run.state), describe_items(run), spelled(run.n_failed), run.plan,
                          run.model, run.date});
  }
  files::write_terminal(std::cout, table);
}

int list(const RunsFlags& flags) {
  std::vector<std::string> notes;
  const std::vector<record::ListedRun> runs = record::list_runs(
      flags.root, flags.verifies ? record::Verify::Bytes : record::Verify::Sizes, notes);
  bool is_damaged = false;
  for (const record::ListedRun& run : runs) {
    if (flags.is_json) {
      std::cout << as_json(run).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                << '\n';
    }
    if (run.state == record::RunState::Damaged) {
      is_damaged = true;
      notes.push_back("damaged: " + run.finding);
    } else if (!run.shards.empty()) {
      notes.push_back(fmt::format("{}: shards, {}", run.folder.string(), run.shards));
    } else if (!run.finding.empty()) {
      notes.push_back(fmt::format("{}, experiment {}: {} is at it", run.folder.string(),
                                  run.index.value_or(0), run.finding));
    }
    if (!run.damage.empty()) {
      notes.push_back(run.damage + "; the same command computes their items again");
    }
  }
  if (!flags.is_json && !runs.empty()) {
    print_table(runs);
  }
  if (runs.empty()) {
    notes.push_back(flags.root + ": no logs");
  }
  std::cout << std::flush;
  for (const std::string& note : notes) {
    std::cerr << note << '\n';
  }
  return is_damaged ? kDataError : kSuccess;
}

}  // namespace

Command runs_command() {
  return make_command<RunsFlags>(
      {CommandGroup::Look, "runs",
       "List the logs below a folder: state, items, plan, model and date of each",
       "labelprobe runs logs"},
      declare_flags, list);
}

}  // namespace labelprobe::app
