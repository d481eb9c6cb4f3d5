// Items that failed, computed again: of a finished run its files are replaced.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/run_list.h"

#include "record/commands.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;
using support::contents_of;
using support::read_file;

RunRequest retrying(RunRequest request) {
  request.retries_failed = true;
  return request;
}

struct Scenario {
  std::string name;
  std::function<RunRequest(const fs::path&)> request;
  std::function<void(const fs::path&)> before;
  std::function<void(const fs::path&)> after;  // between the failure and the retry
};

const std::vector<Scenario>& replaced_scenarios() {
  const auto nothing = [](const fs::path&) {};
  static const std::vector<Scenario> all = {
      {"alone", [](const fs::path& root) { return make_request(root); }, nothing, nothing},
      {"between others", [](const fs::path& root) { return make_request(root); },
       [](const fs::path& root) { run_command(make_request(root, 7)); },
       [](const fs::path& root) {
         run_command(make_request(root, 8));
         run_command(make_request(root, 9));
       }},
      {"with annotators and means", [](const fs::path& root) { return make_plain_request(root); },
       [](const fs::path& root) { run_command(make_plain_request(root, 7)); },
       [](const fs::path& root) { run_command(make_plain_request(root, 8)); }},
      {"numbers of labels",
       [](const fs::path& root) {
         RunRequest request = make_request(root);
         param_of(request, "distribution").value = std::string("verbalized");
         return request;
       },
       nothing, nothing},
  };
  return all;
}

TEST_CASE("Failed items of a finished run are computed again, and the end is as if they had not",
          "[resume]") {
  for (const Scenario& scenario : replaced_scenarios()) {
    CAPTURE(scenario.name);
    const support::TempFolder whole;
    const support::TempFolder mended;
    scenario.before(whole.path());
    run_command(scenario.request(whole.path()));
    scenario.after(whole.path());

    scenario.before(mended.path());
    const RunRequest request = scenario.request(mended.path());
    CHECK(run_command(request, {}, {"a", "b__rater"}) == 4);
    scenario.after(mended.path());
    CHECK(preview(request).n_failed == 2);
    CHECK(preview(request).is_finished);
    CHECK_FALSE(preview(retrying(request)).is_finished);
    CHECK(preview(retrying(request)).n_finished == 2);
    CHECK(run_command(request) == 0);
    CHECK(run_command(retrying(request)) == 2);
    CHECK(differences(contents_of(mended.path()), contents_of(whole.path())) == "");
    CHECK(run_command(retrying(request)) == 0);
  }
}

TEST_CASE("Killed at any change, a retry goes on and ends in the same bytes", "[resume]") {
  for (const Scenario& scenario : replaced_scenarios()) {
    const support::TempFolder whole;
    scenario.before(whole.path());
    run_command(scenario.request(whole.path()));
    scenario.after(whole.path());
    const auto wanted = contents_of(whole.path());
    int n = 0;
    for (bool is_killed = true; is_killed; n += scenario.name == "between others" ? 3 : 13) {
      const support::TempFolder folder;
      scenario.before(folder.path());
      const RunRequest request = scenario.request(folder.path());
      run_command(request, {}, {"a", "d"});
      scenario.after(folder.path());
      is_killed = is_killed_at(retrying(request), n);
      INFO(scenario.name << ", killed before change " << n);
      if (is_killed) run_command(retrying(request));
      REQUIRE(differences(contents_of(folder.path()), wanted) == "");
    }
    CHECK(n > 50);
  }
}

TEST_CASE("Whatever another command does after a killed retry, nothing is lost", "[resume]") {
  const support::TempFolder whole;
  for (const int seed : {0, 1, 2}) run_command(make_plain_request(whole.path(), seed));
  const auto wanted = contents_of(whole.path());
  int n = 0;
  for (bool is_killed = true; is_killed; n += 5) {
    const support::TempFolder folder;
    const RunRequest request = make_plain_request(folder.path());
    run_command(request, {}, {"a"});
    run_command(make_plain_request(folder.path(), 1));
    is_killed = is_killed_at(retrying(request), n);
    run_command(make_plain_request(folder.path(), 2));
    run_command(request);
    const fs::path out = preview(request).folder;
    INFO("killed before change " << n);
    for (const int i : {0, 1, 2}) REQUIRE(read_run(out, i).items.size() == 3);
    run_command(retrying(request));
    REQUIRE(differences(contents_of(folder.path()), wanted) == "");
  }
  CHECK(n > 50);
}

TEST_CASE("Failed items of an unfinished run are computed again where that is asked for",
          "[resume]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  const std::vector<ItemRecord> items = {make_item("c"), failed_item(make_item("a"))};
  Run::open(request).append(items);
  std::vector<std::string> notes;
  const auto runs = list_runs(folder.path(), Verify::Sizes, notes);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].n_failed == 1U);
  CHECK(preview(request).n_finished == 2);
  CHECK(preview(retrying(request)).n_finished == 1);
  {
    const Run run = Run::open(retrying(request));
    CHECK(run.finished().size() == 1);
    CHECK_FALSE(run.is_retry());
    CHECK_THAT(run.notes()[0], ContainsSubstring("1 failed items are computed again"));
  }
  CHECK(run_command(retrying(request)) == 3);
  CHECK(preview(request).n_failed == 0);
}

TEST_CASE("What fails once more stays as it was", "[resume]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  run_command(request, {}, {"a"});
  const auto before = contents_of(folder.path());
  CHECK(run_command(retrying(request), {}, {"a"}) == 1);
  CHECK(differences(contents_of(folder.path()), before) == "");
  CHECK(Run::open(request).n_failed() == 1);
}

TEST_CASE("A log without notes of what is its own is not retried", "[resume]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  run_command(request, {}, {"a"});
  const fs::path manifest = preview(request).folder / "manifest.json";
  nlohmann::json older = nlohmann::json::parse(read_file(manifest));
  older["format"] = 2;
  older["experiments"][0].erase("files");
  support::write_file(manifest, older.dump());
  CHECK_THROWS_AS(run_command(retrying(request)), DataError);
  CHECK_THROWS_WITH(run_command(retrying(request)),
                    ContainsSubstring("an earlier version of the program finished experiment_0") &&
                        ContainsSubstring("--again"));
}

}  // namespace
}  // namespace labelprobe::record
