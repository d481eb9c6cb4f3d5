#include "app/commands/paper_flags.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "labelprobe/analysis/published.h"
#include "labelprobe/core/error.h"

#include "app/commands/cells.h"
#include "app/terminal/interruption.h"

namespace labelprobe::app {

namespace {

namespace fs = std::filesystem;

using experiment::PaperPart;
using experiment::PaperRequest;

std::vector<std::string> part_names() {
  std::vector<std::string> names;
  for (const PaperPart& part : experiment::paper_parts()) names.emplace_back(part.name);
  return names;
}

void declare_runs(OptionList& options, PaperFlags& flags) {
  experiment::CellOptions& cells = flags.options.cells;
  options.begin_group("Runs");
  options.add(cells.limit, {.name = "limit",
                            .help = "Only the first N items of runs on id lists",
                            .shown = Shown::First,
                            .least = 1});
  options.add(flags.options.split_limit,
              {.name = "split_limit",
               .help = "Only the first N items of runs on whole train splits (Tables 2, 4, 6)",
               .shown = Shown::First,
               .least = 1});
  options.add_parsed(flags.seconds,
                     {.name = "time_limit",
                      .help = "Begin no run that would not be over by then: 45s, 90m, 3h50m",
                      .shown = Shown::First,
                      .value = "TIME"},
                     [](const std::string& text) { return std::optional(parse_duration(text)); });
  options.add(flags.id_lists, {.name = "id_list",
                               .help = "List of all sets, or SET=LIST: a name, a path, or none for "
                                       "all examples (default: main_test_set where a set has it, "
                                       "else ours_200)",
                               .shown = Shown::First,
                               .value = "LIST"});
  options.add(flags.tuned,
              {.name = "tuned",
               .help = "For each model its fine-tuned form, a model or the folder of an "
                       "adapter: the SFT rows",
               .shown = Shown::First,
               .value = "MODEL"});
  options.add(flags.scores, {.name = "scores",
                             .help = "Scores of another method, e.g. GoEmotions/BERT=scores.yml",
                             .shown = Shown::First,
                             .value = "SET/NAME=FILE"});
  declare_cell_flags(options, cells, flags.seed);
  options.add(flags.answer, {.name = "answer",
                             .help = "Where unary and binary answers are read: greedy, first or "
                                     "healed",
                             .fallback = "greedy",
                             .value = "POSITION",
                             .choices = {"greedy", "first", "healed"}});
  options.add(flags.n_components, {.name = "components",
                                   .help = "Singular vectors that probes keep (default: the "
                                           "published max(features / 4, 512), which needs as many "
                                           "items)",
                                   .least = 1});
  declare_roots(options, cells);
}

}  // namespace

IdLists parse_id_lists(const std::vector<std::string>& given) {
  IdLists lists;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    const std::string set = equals == std::string::npos ? "" : text.substr(0, equals);
    lists[set] = equals == std::string::npos ? text : text.substr(equals + 1);
  }
  return lists;
}

std::vector<PaperRequest::Scores> parse_scores(const std::vector<std::string>& given) {
  std::vector<PaperRequest::Scores> scores;
  for (const std::string& text : given) {
    const std::size_t slash = text.find('/');
    const std::size_t equals = text.find('=');
    if (slash == std::string::npos || equals == std::string::npos || slash == 0 ||
        equals < slash + 2 || equals + 1 == text.size()) {
      throw ConfigError(
          "--scores: expected SET/NAME=FILE, e.g. GoEmotions/BERT=scores.yml, found '" + text +
          "'");
    }
    scores.push_back({text.substr(0, slash), text.substr(slash + 1, equals - slash - 1),
                      text.substr(equals + 1)});
  }
  return scores;
}

void add_demux_scores(const fs::path& log_root, std::vector<PaperRequest::Scores>& scores) {
  for (const char* task : {"GoEmotions", "MFRC", "Hatexplain", "MSPPodcast"}) {
    const bool is_named = std::any_of(scores.begin(), scores.end(), [&](const auto& one) {
      return one.task == task && analysis::supervised_method(one.name) == "bert";
    });
    if (is_named) continue;
    std::vector<fs::path> found;
    std::error_code ignored;  // a folder that is not there has none
    for (const auto& entry : fs::directory_iterator(log_root / "DEMUX" / task, ignored)) {
      if (fs::is_regular_file(entry.path() / "scores.yml", ignored)) found.push_back(entry.path());
    }
    if (found.size() > 1) {
      const std::string ending = std::string_view(task) == "MFRC"         ? "_0"
                                 : std::string_view(task) == "MSPPodcast" ? "_2"
                                                                          : "_1";
      std::erase_if(found, [&](const fs::path& path) { return !path.string().ends_with(ending); });
    }
    if (found.size() == 1) scores.push_back({task, "BERT", found.front() / "scores.yml"});
  }
}

void check_lengths(const PaperFlags& flags) {
  const auto check = [&](const char* flag, const std::vector<std::string>& list) {
    if (list.empty() || list.size() == flags.models.size()) return;
    throw ConfigError(fmt::format("{}: expected as many as models, {}, found {}", flag,
                                  flags.models.size(), list.size()));
  };
  check("--name", flags.names);
  check("--tuned", flags.tuned);
}

std::vector<std::string> name_models(const PaperFlags& flags) {
  std::vector<std::string> names = flags.names;
  if (names.empty()) {
    for (const std::string& model : flags.models) names.push_back(short_name(model));
  }
  for (const std::string& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1) {
      throw ConfigError("two models are called '" + name + "': --name gives each a name");
    }
    if (name.empty() || name.find('/') != std::string::npos) {
      throw ConfigError("--name: expected names without '/', found '" + name + "'");
    }
  }
  return names;
}

void declare_paper(OptionList& options, PaperFlags& flags) {
  options.add(flags.models, {.name = "MODEL",
                             .help = "Folders, .gguf files or names in the Hugging Face cache; "
                                     "behind -- flags of labelprobe run",
                             .shown = Shown::First});
  options.make_operand();
  options.begin_group("Paper");
  options.add(flags.out, {.name = "out",
                          .help = "Folder for numbers.csv, tables/, figures/, report.html",
                          .shown = Shown::First,
                          .value = "FOLDER"});
  options.add(flags.parts, {.name = "parts",
                            .help = "Some parts only: table1 to table6, figure2 to figure11",
                            .shown = Shown::First,
                            .value = "PART",
                            .choices = part_names(),
                            .has_commas = true});
  options.add(flags.sets, {.name = "sets",
                           .help = "Some data sets only",
                           .shown = Shown::First,
                           .value = "SET",
                           .has_commas = true});
  options.add(flags.names, {.name = "name",
                            .help = "What to call each model (default: the end of its path)",
                            .shown = Shown::First,
                            .value = "NAME"});
  options.add(flags.is_dry_run, {.name = "dry_run",
                                 .help = "Show how far each run is and how long it will take, and "
                                         "stop",
                                 .shown = Shown::First});
  options.add(flags.shows_commands,
              {.name = "commands",
               .help = "Show the command line of each run and stop; runs that were made so, say on "
                       "a cluster, are found"});
  options.add(flags.n_report_items, {.name = "report_items",
                                     .help = "Items that the report lists of each run (default: "
                                             "all)",
                                     .least = 1});
  options.add(flags.is_union, {.name = "union",
                               .help = "Figures of label steps: those too that are only last ones, "
                                       "or only intermediate ones"});
  options.add(flags.is_data_only,
              {.name = "data_only", .help = "Draw no figures; needs no Python"});
  options.add(flags.python, {.name = "python",
                             .help = "A Python with matplotlib, which draws (default: python3)",
                             .shown = Shown::First,
                             .value = "PROGRAM"});
  declare_runs(options, flags);
}

}  // namespace labelprobe::app
