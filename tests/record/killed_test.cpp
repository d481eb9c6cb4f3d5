// Runs that are killed at any change on disk and given again.
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"

#include "record/commands.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;
using support::contents_of;
using support::read_file;

const std::vector<Scenario>& killed_scenarios() {
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
      {"numbers of labels", [](const fs::path&) {},
       [](const fs::path& root) {
         RunRequest request = make_request(root);
         param_of(request, "distribution").value = std::string("verbalized");
         return request;
       }},
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

TEST_CASE("Killed at any change on disk, the same command ends in the same bytes", "[resume]") {
  for (const Scenario& scenario : killed_scenarios()) {
    const support::TempFolder whole;
    scenario.prepare(whole.path());
    run_command(scenario.request(whole.path()));
    const auto wanted = contents_of(whole.path());

    int n = 0;
    for (bool is_killed = true; is_killed; ++n) {
      const support::TempFolder folder;
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
  const support::TempFolder whole;
  run_command(make_request(whole.path()));
  const auto wanted = contents_of(whole.path());
  for (int first = 20; first < 100; first += 9) {
    for (int second = 3; second < 100; second += 11) {
      const support::TempFolder folder;
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
    const support::TempFolder folder;
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
    const support::TempFolder folder;
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
      REQUIRE_THROWS_AS(read_run(out), DataError);
      REQUIRE_THROWS_WITH(read_run(out), ContainsSubstring("experiment_1 is unfinished: run the "
                                                           "same command again (finished: 0)"));
    }
  }
  CHECK(n_refused > 10);
}

TEST_CASE("Aggregates are right whatever was interrupted between", "[resume]") {
  const support::TempFolder whole;
  run_command(make_plain_request(whole.path(), 0));
  run_command(make_plain_request(whole.path(), 1));
  const fs::path out = preview(make_plain_request(whole.path(), 2)).folder;
  // 1/2 and 1/3: mean 0.41667, standard deviation 1/12, interval 1.959964 / 12 / sqrt(2).
  CHECK(read_file(out / "aggregated_metrics.yml") ==
        "'':\n  'n': 2\n  test_micro_f1: '0.4167+-0.1155'\n");
  int n = 0;
  for (bool is_killed = true; is_killed; n += 3) {
    const support::TempFolder folder;
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

TEST_CASE("A YAML file that lost bytes after an interruption is named", "[resume]") {
  const support::TempFolder folder;
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

}  // namespace
}  // namespace labelprobe::record
