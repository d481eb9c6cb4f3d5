// Runs as people handle them: several at once, killed and given again, looked at while they run.
#include <algorithm>
#include <csignal>
#include <list>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::StartedProgram;
using support::TempFolder;
using support::with;
using support::write_file;

const std::vector<std::string> kOneByOne = {"--batch-size", "1"};

// Waits until the run has put so many items on disk.
void wait_for_items(const fs::path& journal, int n_items) {
  for (int waits = 0; waits < 60'000; ++waits) {
    const std::string text = read_file(journal);
    if (std::count(text.begin(), text.end(), '\n') >= n_items) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("no items in " << journal);
}

// A run that is killed once it has some items.
void run_and_kill(const std::vector<std::string>& arguments, const fs::path& folder) {
  StartedProgram program(arguments);
  wait_for_items(folder / "journal_0.jsonl", 3);
  ::kill(program.pid(), SIGKILL);
  REQUIRE(program.finish().exit_code == 128 + SIGKILL);
}

}  // namespace

TEST_CASE("A job array over seeds ends in one folder of as many experiments", "[e2e]") {
  const TempFolder logs;
  std::list<StartedProgram> programs;
  for (const char* seed : {"0", "1", "2"}) {
    programs.emplace_back(run_arguments(logs.path(), {"--limit", "2", "--seed", seed}, "classify"));
  }
  for (StartedProgram& program : programs) {
    const ProgramResult result = program.finish();
    INFO(result.err);
    CHECK(result.exit_code == 0);
  }
  const fs::path folder = logs.path() / "GoEmotions" / "e2e_0";
  CHECK_THAT(read_file(folder / "aggregated_metrics.yml"), ContainsSubstring("\n  'n': 3\n"));
  for (int i = 0; i < 3; ++i) CHECK(record::read_run(folder, i).items.size() == 2);
  CHECK_FALSE(fs::exists(logs.path() / "GoEmotions" / "e2e_1"));

  const ProgramResult list = run_program({"runs", logs.path().string(), "--json", "--verify"});
  std::istringstream lines(list.out);
  int n_lines = 0;
  for (std::string line; std::getline(lines, line); ++n_lines) {
    const nlohmann::json run = nlohmann::json::parse(line);
    CHECK(run["state"] == "finished");
    CHECK(run["items"] == 2);
    CHECK(run["folder"] == folder.string());
  }
  CHECK(n_lines == 3);
  CHECK_THAT(run_program({"runs", logs.path().string()}).out,
             ContainsSubstring("folder") && ContainsSubstring("  finished"));
}

TEST_CASE("Who does a run that another process is at waits, says for whom, or ends with 75",
          "[e2e]") {
  const TempFolder logs;
  const std::vector<std::string> arguments = run_arguments(logs.path(), kOneByOne);
  const fs::path folder = logs.path() / "GoEmotions" / "e2e_0";
  StartedProgram first(arguments);
  wait_for_items(folder / "journal_0.jsonl", 3);
  ::kill(first.pid(), SIGSTOP);
  const std::string holder = "process " + std::to_string(first.pid()) + " on ";

  const ProgramResult at_once = run_program(with(arguments, {"--wait", "0"}));
  CHECK(at_once.exit_code == 75);
  CHECK_THAT(at_once.err, ContainsSubstring(holder) && !ContainsSubstring("waiting for"));
  const ProgramResult later = run_program(with(arguments, {"--wait", "2"}));
  CHECK(later.exit_code == 75);
  CHECK_THAT(later.err, ContainsSubstring("waiting for " + holder) &&
                            ContainsSubstring(", which does this run"));

  // It can be looked at meanwhile, but is not taken for a finished one.
  const ProgramResult shown = run_program({"show", folder.string(), "--items", "1"});
  INFO(shown.err);
  CHECK(shown.exit_code == 0);
  CHECK_THAT(shown.out, ContainsSubstring("experiment 0: unfinished, " + holder) &&
                            ContainsSubstring(" of 40 items, 1 shown"));
  CHECK_THAT(run_program({"runs", logs.path().string()}).out, ContainsSubstring("running"));
  CHECK(run_program({"compare", folder.string(), folder.string()}).exit_code == 3);

  ::kill(first.pid(), SIGCONT);
  CHECK(first.finish().exit_code == 0);
}

TEST_CASE("A run that is asked to end says how far it is, and the same command ends it", "[e2e]") {
  const TempFolder logs;
  const std::vector<std::string> arguments = run_arguments(logs.path(), kOneByOne);
  const fs::path folder = logs.path() / "GoEmotions" / "e2e_0";
  const fs::path metrics = folder / "indexed_metrics.yml";
  REQUIRE(run_program(arguments).exit_code == 0);
  const std::string whole = read_file(metrics);
  for (const auto& [signal, name] :
       {std::pair{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}}) {
    CAPTURE(name);
    fs::remove_all(folder);
    StartedProgram program(arguments);
    wait_for_items(folder / "journal_0.jsonl", 3);
    ::kill(program.pid(), signal);
    const ProgramResult stopped = program.finish();
    CHECK(stopped.exit_code == 128 + signal);
    CHECK_THAT(stopped.err, ContainsSubstring(std::string("stopped by ") + name + ": ") &&
                                ContainsSubstring(" of 40 items are on disk; the same command"));
    CHECK_THAT(read_file(folder / "log.txt"), ContainsSubstring("stopped by "));
    CHECK(run_program(arguments).exit_code == 0);
    CHECK(read_file(metrics) == whole);
  }
}

TEST_CASE("What a process of another machine has left is taken up only when that is asked for",
          "[e2e]") {
  const TempFolder logs;
  const std::vector<std::string> arguments = run_arguments(logs.path(), kOneByOne);
  const fs::path folder = logs.path() / "GoEmotions" / "e2e_0";
  run_and_kill(arguments, folder);
  fs::path lock;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string text = entry.is_regular_file() ? read_file(entry.path()) : "";
    if (text.find(", since ") != std::string::npos && text.find('{') == std::string::npos) {
      lock = entry.path();
    }
  }
  REQUIRE_FALSE(lock.empty());
  const std::string left = "12 on another.machine, since 2026-11-29 21:26:00 +0000";
  write_file(lock, left + "\n");

  const ProgramResult refused = run_program(arguments);
  CHECK(refused.exit_code == 75);
  CHECK_THAT(refused.err, ContainsSubstring(left) && ContainsSubstring("give --take-over"));
  CHECK_THAT(run_program({"runs", logs.path().string()}).out, ContainsSubstring("running"));
  const ProgramResult taken = run_program(with(arguments, {"--take-over"}));
  CHECK(taken.exit_code == 0);
  CHECK_THAT(taken.err, ContainsSubstring("took up experiment_0 with "));
}

TEST_CASE("A run stops at its time limit with a code of its own", "[e2e]") {
  const TempFolder logs;
  const ProgramResult stopped = run_program(run_arguments(logs.path(), {"--time-limit", "0.1s"}));
  CHECK(stopped.exit_code == 124);
  CHECK_THAT(stopped.err,
             ContainsSubstring("stopped by the time limit: 0 of 40 items are on disk"));
  const ProgramResult rest = run_program(run_arguments(logs.path(), {"--time-limit", "1h"}));
  INFO(rest.err);
  CHECK(rest.exit_code == 0);
  const ProgramResult wrong = run_program(run_arguments(logs.path(), {"--time-limit", "3 hours"}));
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.err, ContainsSubstring("expected a duration such as 45s"));
}

TEST_CASE("A killed run goes on whatever is asked of display, threads, batches and names",
          "[e2e]") {
  const TempFolder logs;
  const fs::path folder = logs.path() / "GoEmotions" / "e2e_0";
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--disable-tqdm"},
                                             {"--logging-level", "debug"},
                                             {"--threads", "1"},
                                             {"--batch-size", "2"},
                                             {"--description", "named"},
                                             {"--log-root", logs.path().string() + "/"},
                                             {"--alternative-experiment-name", "other"}}) {
    CAPTURE(more[0]);
    fs::remove_all(folder);
    run_and_kill(run_arguments(logs.path(), kOneByOne), folder);
    const ProgramResult rest = run_program(run_arguments(logs.path(), more));
    INFO(rest.err);
    CHECK(rest.exit_code == 0);
    CHECK_THAT(rest.err, ContainsSubstring("took up experiment_0 with "));
    CHECK(record::read_run(folder).index == 0);
    CHECK(record::read_run(folder).items.size() == 40);
  }
  // What changes numbers is another run, and that is said.
  fs::remove_all(folder);
  run_and_kill(run_arguments(logs.path(), kOneByOne), folder);
  const ProgramResult rounded =
      run_program(run_arguments(logs.path(), {"--logs-precision", "3", "--limit", "40"}));
  CHECK_THAT(rounded.err, !ContainsSubstring("took up"));
}

TEST_CASE("A killed run that asks for numbers goes on and ends in the same bytes", "[e2e]") {
  const TempFolder logs;
  const auto arguments = [&](const char* name) {
    return run_arguments(logs.path() / name, with(kOneByOne, {"--distribution", "verbalized",
                                                              "--max-new-tokens", "100"}));
  };
  const fs::path killed = logs.path() / "killed" / "GoEmotions" / "e2e_0";
  run_and_kill(arguments("killed"), killed);
  const ProgramResult rest = run_program(arguments("killed"));
  INFO(rest.err);
  REQUIRE(rest.exit_code == 0);
  CHECK_THAT(rest.err, ContainsSubstring("took up experiment_0 with "));
  REQUIRE(run_program(arguments("whole")).exit_code == 0);
  const fs::path whole = logs.path() / "whole" / "GoEmotions" / "e2e_0";
  for (const char* file : {"indexed_metrics.yml", "metrics.yml", "names.txt"}) {
    CAPTURE(file);
    CHECK(read_file(killed / file) == read_file(whole / file));
  }
}

TEST_CASE("A killed run whose gold labels were changed starts over and says why", "[e2e]") {
  const TempFolder logs;
  const TempFolder data;
  fs::copy(support::source_folder() / "configs" / "example", data.path(),
           fs::copy_options::recursive);
  const std::vector<std::string> more = {"--root-dir", data.path().string(), "--batch-size", "1"};
  const fs::path folder = logs.path() / "GoEmotions" / "e2e_0";
  run_and_kill(run_arguments(logs.path(), more), folder);
  // Every label of the test split becomes the last emotion of the list.
  std::istringstream lines(read_file(data.path() / "dev.tsv"));
  std::string changed;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find('\t') + 1;
    const std::size_t end = line.find('\t', begin);
    changed += line.substr(0, begin) + "26" + line.substr(end) + "\n";
  }
  write_file(data.path() / "dev.tsv", changed);
  const ProgramResult rest = run_program(run_arguments(logs.path(), more));
  INFO(rest.err);
  REQUIRE(rest.exit_code == 0);
  CHECK_THAT(rest.err, ContainsSubstring("experiment_0 starts over: changed since it was "
                                         "interrupted: gold labels or texts of items;"));
  const auto items = record::read_run(folder).items;
  REQUIRE(items.size() == 40);
  for (const record::ItemRecord& item : items) CHECK(item.gold == items[0].gold);
}

TEST_CASE("Items are shown by their own id or their example's, with the label asked about",
          "[e2e]") {
  const TempFolder logs;
  REQUIRE(run_program(run_arguments(logs.path(), {"--limit", "2", "--distribution", "unary"}))
              .exit_code == 0);
  const std::string folder = (logs.path() / "GoEmotions" / "e2e_0").string();
  const std::string key = record::read_run(folder).items[0].key;
  const std::string example = key.substr(0, key.find("_unary_"));
  const ProgramResult shown = run_program({"show", folder, "--id", example, "--items", "0"});
  INFO(shown.err);
  CHECK(shown.exit_code == 0);
  CHECK_THAT(shown.out,
             ContainsSubstring("16 items, 8 shown") && ContainsSubstring("\n  asked:     joy\n"));
  CHECK_THAT(run_program({"show", folder, "--id", key}).out, ContainsSubstring(" 1 shown"));
  const ProgramResult unknown = run_program({"show", folder, "--id", key + "x"});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("has no item '" + key + "x'; did you mean '" + key));
}

TEST_CASE("The votes of annotators stand beside the gold labels", "[e2e]") {
  const TempFolder logs;
  REQUIRE(
      run_program(run_arguments(logs.path(), {"--annotation-mode", "both", "--test-debug-len", "2"},
                                "classify"))
          .exit_code == 0);
  const std::string folder = (logs.path() / "GoEmotions" / "e2e_0").string();
  CHECK_THAT(run_program({"show", folder}).out,
             ContainsSubstring("  gold:      fear\n  votes:     14: fear; 21: fear; 3: none; "));
}

TEST_CASE("A dry run says what is there and what would be taken over", "[e2e]") {
  const TempFolder logs;
  const fs::path folder = logs.path() / "GoEmotions" / "e2e_0";
  run_and_kill(run_arguments(logs.path(), kOneByOne), folder);
  const ProgramResult dry = run_program(run_arguments(logs.path(), {"--dry-run"}));
  CHECK_THAT(dry.out, ContainsSubstring(folder.string() + ", experiment_0, going on after ") &&
                          ContainsSubstring("there already: experiment_0: unfinished, ") &&
                          ContainsSubstring("it would write annotator_metrics.yml, "
                                            "indexed_metrics.yml, metrics.yml, ") &&
                          ContainsSubstring("nothing was run"));
}

TEST_CASE("Names that no log can have are refused before anything starts", "[e2e]") {
  const TempFolder logs;
  for (const auto& [more, finding] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--logs-precision", "309"}, "logs_precision: expected at most 45 decimals"},
           {{"--alternative-experiment-name", ".hidden"}, "begins with '.'"},
           {{"--alternative-experiment-name", "a/.b"}, "begins with '.'"},
           {{"--description", std::string(235, 'x')}, "expected at most 233 bytes"},
           {{"--description", std::string(6000, 'x')}, "description"},
           {{"--alternative-experiment-name", std::string(300, 'x')}, "found 300"}}) {
    for (const char* dry : {"--dry-run", "--disable-tqdm"}) {
      const ProgramResult result = run_program(run_arguments(logs.path(), with(more, {dry})));
      INFO(more[0] << " " << dry << ": " << result.err);
      CHECK(result.exit_code == 2);
      CHECK_THAT(result.err, ContainsSubstring(finding));
      CHECK(fs::is_empty(logs.path()));
    }
  }
}

TEST_CASE("Paths that cannot be used are named with the reason, never as a bug of ours", "[e2e]") {
  const TempFolder folder;
  fs::create_symlink(folder.path() / "b", folder.path() / "a");
  fs::create_symlink(folder.path() / "a", folder.path() / "b");
  const std::string loop = (folder.path() / "a").string();
  const std::string name = (folder.path() / std::string(300, 'n')).string();
  const std::string path = folder.path().string() + "/" + std::string(6000, 'p');
  for (const std::string& bad : {loop, loop + "/c", name, name + "/c", path}) {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             run_arguments(bad, {"--limit", "1"}),
             {"show", bad},
             {"runs", bad},
             {"compare", bad, bad},
             {"align", "GoEmotions", bad, "--root-dir", "configs/example", "--test-splits", "dev"},
             {"prompts", "GoEmotions", "--config", bad},
             {"prompts", "GoEmotions", "--config", "configs/example/config.yaml", "--root-dir",
              bad},
             {"generate", "--model-name-or-path", bad, "--prompts", bad, "--max-new-tokens", "1"},
             {"tokenize", "--model-name-or-path", bad}}) {
      const ProgramResult result = run_program(arguments);
      INFO(arguments[0] << " " << bad.substr(0, 100) << ": " << result.err.substr(0, 500));
      CHECK((result.exit_code >= 2 && result.exit_code <= 4));
      CHECK_THAT(result.err, ContainsSubstring(bad.substr(bad.size() - 1)));
    }
  }
}

}  // namespace labelprobe
