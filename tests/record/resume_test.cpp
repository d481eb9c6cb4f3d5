#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <iostream>

#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"

#include "record/folder/journal.h"
#include "record/items.h"
#include "record/run_folder.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::files::Disk;
using labelprobe::files::LockedError;
using labelprobe::record::encode_item;
using labelprobe::record::IfFinished;
using labelprobe::record::ItemRecord;
using labelprobe::record::make_item;
using labelprobe::record::make_request;
using labelprobe::record::Metrics;
using labelprobe::record::param_of;
using labelprobe::record::preview;
using labelprobe::record::Provenance;
using labelprobe::record::read_run;
using labelprobe::record::Run;
using labelprobe::record::RunFolder;
using labelprobe::record::RunRequest;
using labelprobe::support::contents_of;
using labelprobe::support::read_file;

namespace {

// Thousands of commands, each with its fsyncs: in memory where the system has a folder for that.
[[maybe_unused]] const bool kIsInMemory =
    ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 0) == 0;

const std::vector<std::string> kKeys = {"c", "a", "b__rater", "d"};

// The names of the files that one of the two lacks or that differ.
std::string differences(const std::map<std::string, std::string>& a,
                        const std::map<std::string, std::string>& b) {
  std::string names;
  for (const auto& [name, text] : a) {
    const auto other = b.find(name);
    names += other != b.end() && other->second == text ? "" : name + " ";
  }
  for (const auto& entry : b) {
    names += a.contains(entry.first) ? "" : entry.first + " ";
  }
  return names;
}

// A whole command: two batches of those items that are not finished yet, then the end. Returns how
// many items it computed.
int run_command(const RunRequest& request, Disk::BeforeStep before_step = {}) {
  RunFolder run(request, std::move(before_step));
  if (run.was_finished()) {
    return 0;
  }
  int n_computed = 0;
  for (std::size_t start = 0; start < kKeys.size(); start += 2) {
    std::vector<ItemRecord> batch;
    for (std::size_t i = start; i < start + 2; ++i) {
      if (!run.finished().contains(kKeys[i])) {
        batch.push_back(make_item(kKeys[i]));
      }
    }
    n_computed += static_cast<int>(batch.size());
    run.append(batch);
  }
  const auto seed = std::find_if(request.params.begin(), request.params.end(),
                                 [](const auto& param) { return param.name == "seed"; });
  const double share = 1.0 / static_cast<double>(2 + std::get<std::int64_t>(seed->value));
  run.finish(kKeys, Metrics{{"micro_f1", share}}, {{"rater", {{"micro_f1", share / 2}}}});
  return n_computed;
}

// Runs the command in a process of its own that is killed before its n-th change on disk. False if
// it came to its end before that.
bool is_killed_at(const RunRequest& request, int n) {
  const pid_t child = ::fork();
  if (child == 0) {
    int n_left = n;
    try {
      run_command(request, [&](std::string_view) {
        if (n_left-- == 0) {
          ::kill(::getpid(), SIGKILL);
        }
      });
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  return WIFSIGNALED(status);
}

struct Scenario {
  std::string name;
  std::function<void(const fs::path&)> prepare;
  std::function<RunRequest(const fs::path&)> request;
};

RunRequest make_plain_request(const fs::path& root, std::int64_t seed = 0) {
  RunRequest request = make_request(root, seed);
  request.layout = labelprobe::record::kPlainLayout;
  return request;
}

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"a new folder", [](const fs::path&) {},
       [](const fs::path& root) { return make_request(root); }},
      {"a folder with an earlier experiment",
       [](const fs::path& root) { run_command(make_request(root, 7)); },
       [](const fs::path& root) { return make_request(root); }},
      {"a folder that moves", [](const fs::path& root) { run_command(make_request(root, 7)); },
       [](const fs::path& root) {
         RunRequest request = make_request(root);
         request.alternative_name = "deep/{distribution}/{shot}";
         request.moves_equal = true;
         return request;
       }},
      {"a folder whose experiments are aggregated",
       [](const fs::path& root) {
         for (int seed = 5; seed < 7; ++seed) {
           run_command(make_plain_request(root, seed));
         }
       },
       [](const fs::path& root) { return make_plain_request(root); }},
      {"an interrupted run with other contents",
       [](const fs::path& root) {
         RunRequest request = make_request(root);
         request.contents["prompts"] = "contents-0";
         Run run = Run::open(request);
         const ItemRecord item = make_item("a");
         run.append({&item, 1});
       },
       [](const fs::path& root) { return make_request(root); }},
      {"another experiment beside an equal one",
       [](const fs::path& root) { run_command(make_plain_request(root)); },
       [](const fs::path& root) {
         RunRequest request = make_plain_request(root);
         request.if_finished = IfFinished::Append;
         return request;
       }},
  };
  return all;
}

}  // namespace

TEST_CASE("Killed at any change on disk, the same command ends in the same bytes", "[resume]") {
  for (const Scenario& scenario : scenarios()) {
    const labelprobe::support::TempFolder whole;
    scenario.prepare(whole.path());
    run_command(scenario.request(whole.path()));
    const auto wanted = contents_of(whole.path());

    int n = 0;
    for (bool is_killed = true; is_killed; ++n) {
      const labelprobe::support::TempFolder folder;
      scenario.prepare(folder.path());
      const RunRequest request = scenario.request(folder.path());
      is_killed = is_killed_at(request, n);
      if (is_killed) {
        run_command(request);
      }
      INFO(scenario.name << ", killed before change " << n);
      REQUIRE(differences(contents_of(folder.path()), wanted) == "");
    }
    INFO(scenario.name);
    CHECK(n > 50);
  }
}

TEST_CASE("Killed twice, the same command ends in the same bytes", "[resume]") {
  const labelprobe::support::TempFolder whole;
  run_command(make_request(whole.path()));
  const auto wanted = contents_of(whole.path());
  for (int first = 20; first < 100; first += 9) {
    for (int second = 3; second < 100; second += 11) {
      const labelprobe::support::TempFolder folder;
      const RunRequest request = make_request(folder.path());
      if (is_killed_at(request, first) && !is_killed_at(request, second)) {
        REQUIRE(differences(contents_of(folder.path()), wanted) == "");
      } else if (preview(request).experiment_index == 0) {
        run_command(request);
        REQUIRE(differences(contents_of(folder.path()), wanted) == "");
      }
    }
  }
}

TEST_CASE("Another run between death and resumption harms neither", "[resume]") {
  int n_resumed = 0;
  int n = 0;
  for (bool is_killed = true; is_killed; ++n) {
    const labelprobe::support::TempFolder folder;
    is_killed = is_killed_at(make_request(folder.path()), n);
    run_command(make_request(folder.path(), 1));
    const auto resumed = preview(make_request(folder.path()));
    const bool goes_on = resumed.experiment_index == 0;
    n_resumed += goes_on ? 1 : 0;
    run_command(make_request(folder.path()));
    INFO("killed before change " << n);
    for (const char* name : {"params.yml", "indexed_metrics.yml", "metrics.yml"}) {
      const YAML::Node file = YAML::LoadFile((resumed.folder / name).string());
      // Each experiment stands there once, and whole.
      std::map<std::string, int> n_times;
      for (const auto& entry : file) {
        ++n_times[entry.first.as<std::string>()];
      }
      REQUIRE(n_times.size() == file.size());
      for (const auto& entry : n_times) {
        REQUIRE(entry.second == 1);
      }
      REQUIRE(file["experiment_1"].IsMap());
    }
    const YAML::Node log = YAML::LoadFile((resumed.folder / "indexed_metrics.yml").string());
    for (const auto& experiment : log) {
      REQUIRE(experiment.second.size() == kKeys.size() + 1);
    }
  }
  CHECK(n_resumed > 10);
}

TEST_CASE("A half-written experiment is refused by name, a finished one beside it is read",
          "[resume]") {
  int n_refused = 0;
  int n = 0;
  for (bool is_killed = true; is_killed; ++n) {
    const labelprobe::support::TempFolder folder;
    run_command(make_request(folder.path(), 7));
    const fs::path out = preview(make_request(folder.path(), 7)).folder;
    is_killed = is_killed_at(make_request(folder.path()), n);
    INFO("killed before change " << n);
    REQUIRE(read_run(out, 0).items.size() == kKeys.size());
    if (preview(make_request(folder.path())).is_finished) {
      REQUIRE(read_run(out).index == 1);
      REQUIRE(read_run(out).items.size() == kKeys.size());
    } else if (preview(make_request(folder.path(), 7)).experiment_index == 0 &&
               fs::exists(out / "journal_1.jsonl")) {
      ++n_refused;
      REQUIRE_THROWS_AS(read_run(out), labelprobe::DataError);
      REQUIRE_THROWS_WITH(read_run(out), ContainsSubstring("experiment_1 is unfinished: run the "
                                                           "same command again (finished: 0)"));
    }
  }
  CHECK(n_refused > 10);
}

TEST_CASE("Aggregates are right whatever was interrupted between", "[resume]") {
  const labelprobe::support::TempFolder whole;
  run_command(make_plain_request(whole.path(), 0));
  run_command(make_plain_request(whole.path(), 1));
  const fs::path out = preview(make_plain_request(whole.path(), 2)).folder;
  // 1/2 and 1/3: mean 0.41667, standard deviation 1/12, interval 1.959964 / 12 / sqrt(2).
  CHECK(read_file(out / "aggregated_metrics.yml") ==
        "'':\n  'n': 2\n  test_micro_f1: '0.4167+-0.1155'\n");
  int n = 0;
  for (bool is_killed = true; is_killed; n += 3) {
    const labelprobe::support::TempFolder folder;
    is_killed = is_killed_at(make_plain_request(folder.path(), 0), n);
    run_command(make_plain_request(folder.path(), 1));
    const auto resumed = preview(make_plain_request(folder.path(), 0));
    if (resumed.experiment_index == 0) {
      run_command(make_plain_request(folder.path(), 0));
    } else if (is_killed && resumed.experiment_index == 1) {
      continue;  // killed before there was an experiment 0
    }
    INFO("killed before change " << n);
    for (const char* name : {"aggregated_metrics.yml", "aggregated_indexed_metrics.yml",
                             "aggregated_annotator_metrics.yml"}) {
      REQUIRE(read_file(resumed.folder / name) == read_file(out / name));
    }
  }
  CHECK(n > 50);
}

TEST_CASE("Finished items are not computed again", "[resume]") {
  const labelprobe::support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  {
    Run run = Run::open(request);
    const std::vector<ItemRecord> batch = {make_item("c"), make_item("a")};
    run.append(batch);
  }
  CHECK(preview(request).n_finished == 2);
  CHECK(preview(request).experiment_index == 0);
  CHECK(preview(make_request(folder.path(), 1)).experiment_index == 1);
  CHECK(preview(make_request(folder.path(), 1)).n_finished == 0);
  {
    Run run = Run::open(request);
    CHECK(run.finished().at("c") == make_item("c"));
    CHECK(run.finished().size() == 2);
    REQUIRE(run.notes().size() == 1);
    CHECK_THAT(run.notes()[0], ContainsSubstring("took up experiment_0 with 2 finished items"));
  }
  CHECK(run_command(request) == 2);
}

TEST_CASE("A finished run is not computed again, nor is anything written", "[resume]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  CHECK(run_command(request) == 4);
  const auto before = contents_of(folder.path());
  CHECK(run_command(request) == 0);
  CHECK(differences(contents_of(folder.path()), before) == "");
  request.if_finished = IfFinished::Append;
  CHECK(run_command(request) == 4);
  CHECK(preview(request).experiment_index == 2);
}

TEST_CASE("What another contents left unfinished is not taken for a finished run", "[resume]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  run_command(request);
  request.contents["prompts"] = "contents-2";
  const ItemRecord item = make_item("a");
  Run::open(request).append({&item, 1});
  CHECK(preview(request).experiment_index == 1);
  CHECK(preview(request).n_finished == 1);
  // The contents of the first run are back, and so is what it finished.
  CHECK(preview(make_request(folder.path())).is_finished);
  request.contents["prompts"] = "contents-3";
  CHECK(preview(request).experiment_index == 1);
  CHECK(preview(request).n_finished == 0);
}

TEST_CASE("A setting and seed count once in the means, however often they were run", "[resume]") {
  const labelprobe::support::TempFolder once;
  const labelprobe::support::TempFolder often;
  run_command(make_plain_request(once.path(), 1));
  run_command(make_plain_request(once.path(), 0));
  for (const std::int64_t seed : {0, 1, 0}) {
    RunRequest request = make_plain_request(often.path(), seed);
    request.if_finished = IfFinished::Append;
    run_command(request);
  }
  const fs::path folder = preview(make_plain_request(once.path())).folder;
  for (const char* name : {"aggregated_metrics.yml", "aggregated_indexed_metrics.yml",
                           "aggregated_annotator_metrics.yml"}) {
    CAPTURE(name);
    CHECK(read_file(often.path() / folder.lexically_relative(once.path()) / name) ==
          read_file(folder / name));
  }
}

TEST_CASE("Changed contents set the journal aside", "[resume]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  const ItemRecord item = make_item("a");
  fs::path out;
  for (int n = 0; n < 2; ++n) {
    Run run = Run::open(request);
    CHECK(run.finished().empty());
    CHECK(run.experiment_index() == 0);
    run.append({&item, 1});
    out = run.folder();
    request.contents["prompts"] += "+";
  }
  CHECK(preview(request).n_finished == 0);
  CHECK(fs::exists(out / "journal_0.jsonl.stale-0"));
  const Run run = Run::open(request);
  CHECK(fs::exists(out / "journal_0.jsonl.stale-1"));
  REQUIRE(run.notes().size() == 1);
  CHECK_THAT(run.notes()[0],
             ContainsSubstring("starts over: changed since it was interrupted: prompts;") &&
                 ContainsSubstring("journal_0.jsonl.stale-1"));
}

TEST_CASE("A failed item may be tried again", "[resume]") {
  const labelprobe::support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  ItemRecord failed = make_item("a");
  failed.failure = "out of memory";
  Run::open(request).append({&failed, 1});
  Run run = Run::open(request);
  CHECK(run.finished().at("a").failure == "out of memory");
  const ItemRecord item = make_item("a");
  run.append({&item, 1});
  const std::string key = "a";
  run.finish({&key, 1}, std::nullopt, {});
  const auto log = YAML::LoadFile((run.folder() / "indexed_metrics.yml").string());
  CHECK_FALSE(log["experiment_0"]["a"]["test_failure"]);
}

TEST_CASE("Who does a run that another process is at waits for it, and is told of it", "[resume]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  std::optional<Run> running(Run::open(request));
  const fs::path out = running->folder();
  request.patience.seconds = 0;
  CHECK_THROWS_AS(Run::open(request), LockedError);
  CHECK_THROWS_WITH(Run::open(request), ContainsSubstring("process " + std::to_string(::getpid())));
  CHECK(preview(request).folder == out);
  RunRequest other = make_request(folder.path());
  param_of(other, "incontext_prompt").value = "other";
  CHECK(Run::open(other).folder() != out);

  std::string told;
  request.patience = {.seconds = 60, .on_wait = [&](const std::string& sentence) {
                        told = sentence;
                        running.reset();
                      }};
  CHECK(Run::open(request).folder() == out);
  CHECK_THAT(told,
             ContainsSubstring("waiting for process " + std::to_string(::getpid()) + " on ") &&
                 ContainsSubstring(", since 2") && ContainsSubstring(", which does this run"));
}

TEST_CASE("A run beside one that is at it may be another experiment", "[resume]") {
  const labelprobe::support::TempFolder folder;
  const Run running = Run::open(make_request(folder.path()));
  RunRequest again = make_request(folder.path());
  again.patience.seconds = 0;
  again.if_finished = IfFinished::Append;
  CHECK(run_command(again) == static_cast<int>(kKeys.size()));
  CHECK(preview(again).experiment_index == 2);
  // With other contents it is no experiment to start over while a process is at it.
  RunRequest changed = make_request(folder.path());
  changed.contents["prompts"] = "contents-2";
  const Run beside = Run::open(changed);
  CHECK(beside.experiment_index() == 2);
  REQUIRE(beside.notes().size() == 2);
  CHECK(beside.notes()[0] ==
        "experiment_0 is unfinished and not gone on with: changed since: prompts");
  CHECK(beside.notes()[1] == "experiment_1 is finished, but not this run: changed since: prompts");
}

TEST_CASE("Seeds that run at the same time are experiments of one folder", "[resume]") {
  constexpr int kSeeds = 5;
  const labelprobe::support::TempFolder one_by_one;
  const labelprobe::support::TempFolder together;
  std::vector<pid_t> children;
  for (int seed = 0; seed < kSeeds; ++seed) {
    run_command(make_plain_request(one_by_one.path(), seed));
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        run_command(make_plain_request(together.path(), seed));
      } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  const fs::path wanted = preview(make_plain_request(one_by_one.path())).folder;
  const fs::path found = preview(make_plain_request(together.path())).folder;
  for (const char* name : {"aggregated_metrics.yml", "aggregated_indexed_metrics.yml",
                           "aggregated_annotator_metrics.yml"}) {
    CAPTURE(name);
    CHECK(read_file(found / name) == read_file(wanted / name));
  }
  for (int i = 0; i < kSeeds; ++i) {
    CHECK(read_run(found, i).items == read_run(wanted, i).items);
    CHECK_FALSE(fs::exists(found / (".lock_" + std::to_string(i))));
  }
}

TEST_CASE("A folder that is moved or deleted under a run is named at the next batch", "[resume]") {
  const labelprobe::support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  Run run = Run::open(request);
  const ItemRecord item = make_item("a");
  run.append({&item, 1});
  fs::rename(run.folder(), folder.path() / "elsewhere");
  CHECK_THROWS_WITH(run.append({&item, 1}), ContainsSubstring("was moved, deleted or replaced"));
  run_command(request);  // makes the folder anew
  CHECK_THROWS_WITH(run.append({&item, 1}), ContainsSubstring("was moved, deleted or replaced"));
  const std::string key = "a";
  CHECK_THROWS_AS(run.finish({&key, 1}, std::nullopt, {}), labelprobe::ConfigError);
  CHECK(read_run(run.folder()).items.size() == kKeys.size());
}

TEST_CASE("Processes that start together take different folders", "[resume]") {
  const labelprobe::support::TempFolder folder;
  constexpr int kProcesses = 8;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        RunRequest request = make_request(folder.path());
        param_of(request, "incontext_prompt").value = std::to_string(i);  // not part of the name
        run_command(request);
      } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  int n_folders = 0;
  for (const auto& entry : fs::directory_iterator(folder.path() / "MFRC")) {
    n_folders += fs::exists(entry.path() / "indexed_metrics.yml") ? 1 : 0;
  }
  CHECK(n_folders == kProcesses);
}

TEST_CASE("Damaged lines of a journal are computed again, and the end is the same", "[resume]") {
  const labelprobe::support::TempFolder whole;
  run_command(make_request(whole.path()));
  const auto wanted = contents_of(whole.path());
  const std::size_t n_bytes = 3 * encode_item(make_item("a")).size();
  for (std::size_t at = 0; at + 100 < n_bytes; at += 97) {
    const labelprobe::support::TempFolder folder;
    const RunRequest request = make_request(folder.path());
    fs::path journal;
    {
      Run run = Run::open(request);
      const std::vector<ItemRecord> items = {make_item("a"), make_item("c"), make_item("d")};
      run.append(items);
      journal = run.folder() / "journal_0.jsonl";
    }
    std::string text = read_file(journal);
    text[at] = static_cast<char>(text[at] ^ 4);
    std::ofstream(journal, std::ios::binary) << text;
    INFO("byte " << at);
    {
      const Run run = Run::open(request);
      REQUIRE(run.finished().size() >= 1);
      REQUIRE(run.finished().size() <= 2);
      CHECK_THAT(run.notes()[0], ContainsSubstring("took out damaged lines (") &&
                                     ContainsSubstring("their items are computed again"));
    }
    run_command(request);
    REQUIRE(differences(contents_of(folder.path()), wanted) == "");
  }
}

TEST_CASE("What does not decide numbers does not decide whether to go on", "[resume]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  const ItemRecord item = make_item("a");
  Run::open(request).append({&item, 1});
  param_of(request, "logging_level").value = std::string("info");
  request.description = "named";
  CHECK(Run::open(request).finished().size() == 1);
  // What does is named.
  request.params.push_back({"logs_precision", std::int64_t{4}, false});
  const Run run = Run::open(request);
  CHECK(run.experiment_index() == 1);
  REQUIRE(run.notes().size() == 1);
  CHECK(run.notes()[0] ==
        "experiment_0 is unfinished and not gone on with: logs_precision is unset there and 4 "
        "here");
}

TEST_CASE("A folder whose manifest or numbers are damaged is passed over, and only that",
          "[resume]") {
  for (const char* name : {"manifest.json", "numbers.yml"}) {
    const labelprobe::support::TempFolder folder;
    run_command(make_plain_request(folder.path(), 0));
    const fs::path out = preview(make_plain_request(folder.path(), 0)).folder;
    const std::string text = read_file(out / name);
    for (std::size_t n = 0; n + 1 < text.size(); n += 1 + text.size() / 40) {
      std::ofstream(out / name, std::ios::binary) << text.substr(0, n);
      INFO(name << " cut to " << n);
      const auto seen = preview(make_plain_request(folder.path(), 1));
      REQUIRE(seen.folder != out);
      REQUIRE(seen.notes.size() == 1);
      REQUIRE_THAT(seen.notes[0], ContainsSubstring("passed over " + out.string() + ": ") &&
                                      ContainsSubstring(name) &&
                                      ContainsSubstring("restore the file, or move its folder"));
    }
    CHECK(run_command(make_plain_request(folder.path(), 1)) == static_cast<int>(kKeys.size()));
    std::ofstream(out / name, std::ios::binary) << text;
    CHECK(preview(make_plain_request(folder.path(), 0)).is_finished);
  }
}

TEST_CASE("A YAML file that lost bytes after an interruption is named", "[resume]") {
  const labelprobe::support::TempFolder folder;
  run_command(make_request(folder.path(), 7));
  const RunRequest request = make_request(folder.path());
  const fs::path log = preview(request).folder / "params.yml";
  // Find a moment in which the YAML files are being written.
  const auto before = fs::file_size(log);
  for (int n = 0; fs::file_size(log) == before; ++n) {
    REQUIRE(is_killed_at(request, n));
  }
  fs::resize_file(log, before - 1);
  const auto seen = preview(request);
  CHECK(seen.folder != log.parent_path());
  REQUIRE(seen.notes.size() == 1);
  CHECK_THAT(seen.notes[0], ContainsSubstring("params.yml: expected at least") &&
                                ContainsSubstring("move its folder out of the log folder"));
}

TEST_CASE("A journal put back later takes nothing from the experiments after it", "[resume]") {
  const labelprobe::support::TempFolder folder;
  run_command(make_request(folder.path(), 0));
  run_command(make_request(folder.path(), 1));
  const fs::path out = preview(make_request(folder.path(), 0)).folder;
  std::ofstream(out / "journal_0.jsonl").flush();
  run_command(make_request(folder.path(), 0));
  CHECK(YAML::LoadFile((out / "indexed_metrics.yml").string()).size() == 2);
  CHECK_FALSE(fs::exists(out / "journal_0.jsonl"));
}

TEST_CASE("Earlier experiments keep their bytes", "[resume]") {
  const labelprobe::support::TempFolder folder;
  run_command(make_request(folder.path()));
  const fs::path out = preview(make_request(folder.path(), 1)).folder;
  const std::string first = read_file(out / "indexed_metrics.yml");
  const auto manifest_bytes = fs::file_size(out / "manifest.json");
  for (int seed = 1; seed < 20; ++seed) {
    run_command(make_request(folder.path(), seed));
  }
  CHECK(read_file(out / "indexed_metrics.yml").starts_with(first));
  // Only what differs is stored per experiment.
  CHECK(fs::file_size(out / "manifest.json") < manifest_bytes + 19 * 1000);
}

TEST_CASE("A journal of an earlier version is set aside, not continued", "[resume]") {
  const labelprobe::support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  { Run::open(request); }
  const fs::path out = preview(request).folder;
  // As the version before label steps left them.
  nlohmann::json manifest = nlohmann::json::parse(read_file(out / "manifest.json"));
  manifest["format"] = 1;
  manifest["experiments"][0].erase("record_version");
  manifest["experiments"][0].erase("provenance");
  std::ofstream(out / "manifest.json") << manifest;
  std::ofstream(out / "journal_0.jsonl")
      << R"({"all_scores":[],"annotator":"aggregate","failure":null,"gold":["joy"],)"
      << R"("is_label_found":false,"key":"a","kind":"multi","label_logits":[],)"
      << R"("n_prompt_tokens":3,"outs":"x","outs_id_index":1,"outs_ids":[7],"predictions":[],)"
      << R"("prefix_outs":null,"prompt_fingerprint":"00ff","query_text":"t","residual_outs":"",)"
      << R"("scores":[["joy",0.5]],"top_tokens":[]})" << std::endl;
  CHECK(preview(request).experiment_index == 0);
  CHECK(preview(request).n_finished == 0);
  {
    const Run run = Run::open(request);
    CHECK(run.experiment_index() == 0);
    CHECK(run.finished().empty());
    REQUIRE(run.notes().size() == 1);
    CHECK_THAT(run.notes()[0], ContainsSubstring("another version of the program") &&
                                   ContainsSubstring("journal_0.jsonl.stale-0"));
  }
  CHECK(run_command(request) == static_cast<int>(kKeys.size()));
  CHECK(nlohmann::json::parse(read_file(out / "manifest.json"))["format"] == 2);
}

TEST_CASE("The manifest names each kind of process that computed items, once", "[resume]") {
  const labelprobe::support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  Provenance made{.program = labelprobe::record::program_version(),
                  .backend = "libtorch 2.11.0",
                  .device = "cpu",
                  .device_name = "a processor, 2 CPU threads",
                  .dtype = "float32",
                  .quantization = "none",
                  .generation = "answers end at token 2, repetition_penalty 1.05",
                  .model_fingerprint = "0a",
                  .tokenizer_fingerprint = "0b",
                  .prompts_fingerprint = "0c",
                  .data_files = {{"data/train.tsv", "0d"}}};
  Run::open(request).add_provenance(made);
  Run::open(request).add_provenance(made);
  made.device = "cuda:0";
  Run::open(request).add_provenance(made);
  CHECK(run_command(request) == static_cast<int>(kKeys.size()));
  const fs::path out = preview(request).folder;
  const auto manifest = nlohmann::json::parse(read_file(out / "manifest.json"));
  const auto& listed = manifest["experiments"][0]["provenance"];
  REQUIRE(listed.size() == 2);
  CHECK(listed[0]["device"] == "cpu");
  CHECK(listed[0]["generation"] == made.generation);
  CHECK(listed[1]["device"] == "cuda:0");
  CHECK(listed[1]["data_files"]["data/train.tsv"] == "0d");
  CHECK_THAT(listed[0]["program"].get<std::string>(), Catch::Matchers::StartsWith("0.1.0"));
  // It stays when the folder gets another experiment.
  run_command(make_request(folder.path(), 1));
  CHECK(nlohmann::json::parse(read_file(out / "manifest.json"))["experiments"][0]["provenance"] ==
        listed);
  // Earlier versions did not note the settings of generation.
  auto older = nlohmann::json::parse(read_file(out / "manifest.json"));
  older["experiments"][0]["provenance"][0].erase("generation");
  std::ofstream(out / "manifest.json") << older;
  run_command(make_request(folder.path(), 2));
  const auto newer = nlohmann::json::parse(read_file(out / "manifest.json"));
  CHECK(newer["experiments"].size() == 3);
  CHECK(newer["experiments"][0]["provenance"][0]["generation"] == "");
}
