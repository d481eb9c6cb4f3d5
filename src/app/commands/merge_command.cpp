// labelprobe merge: of the finished shards of runs, the logs that one process would have written.
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/experiment/shards.h"

#include "app/commands/command.h"
#include "app/commands/error_report.h"

namespace labelprobe::app {

namespace {

struct MergeFlags {
  std::string folder;
  files::Patience patience;
};

void declare_flags(OptionList& options, MergeFlags& flags) {
  options.add(flags.folder, {.name = "FOLDER",
                             .help = "Folder of a run's shards, or one that has such below it",
                             .is_required = true,
                             .shown = Shown::First,
                             .value = "FOLDER"});
  options.make_operand();
  options.begin_group("Merge");
  options.add(flags.patience.seconds,
              {.name = "wait",
               .help = "Seconds to wait at most for a process that merges the same shards; then "
                       "the exit code is 75 (default: without limit)",
               .shown = Shown::First,
               .value = "SECONDS",
               .least = 0});
  options.add(flags.patience.takes_over,
              {.name = "take_over",
               .help = "Go on with what a process of another machine was merging, when it is known "
                       "to have died",
               .shown = Shown::First});
}

// Returns the exit code.
int merge_one(const std::filesystem::path& shards, const files::Patience& patience) {
  const auto merged = experiment::merge_shards(shards, patience);
  if (!merged) {
    std::cerr << shards.string() << ": merged by another process meanwhile" << std::endl;
    return kSuccess;
  }
  for (const std::string& note : merged->notes) std::cerr << note << '\n';
  if (merged->was_finished) {
    std::cerr << "finished before; its shards are removed\n";
  } else {
    std::cerr << fmt::format("{} items merged into experiment_{}\n", merged->outcome.n_items,
                             merged->experiment_index);
  }
  if (merged->outcome.n_failed > 0) {
    std::cerr << fmt::format("{} items failed; each entry says why under test_failure\n",
                             merged->outcome.n_failed);
  }
  std::cout << merged->folder.string() << std::endl;
  return merged->outcome.n_failed > 0 ? kSomeFailed : kSuccess;
}

// A set that cannot be merged stops no other; the first error's code counts.
int merge(const MergeFlags& flags) {
  const std::vector<std::filesystem::path> found = record::find_shards(flags.folder);
  if (found.empty()) {
    throw DataError(flags.folder +
                    ": expected shards of a run in it or below it, found none; runs whose shards "
                    "are merged have none left (labelprobe runs lists them)");
  }
  files::Patience patience = flags.patience;
  patience.on_wait = [](const std::string& sentence) { std::cerr << sentence << std::endl; };
  int code = kSuccess;
  for (const std::filesystem::path& shards : found) {
    try {
      const int of_this = merge_one(shards, patience);
      code = code == kSuccess ? of_this : code;
    } catch (const Error& error) {
      const int of_this = report(error);
      code = code == kSuccess || code == kSomeFailed ? of_this : code;
    }
  }
  return code;
}

}  // namespace

Command merge_command() {
  return make_command<MergeFlags>(
      {CommandGroup::Ask, "merge",
       "End runs that were done in shards: one log of the finished parts",
       "labelprobe merge logs/GoEmotions"},
      declare_flags, merge);
}

}  // namespace labelprobe::app
