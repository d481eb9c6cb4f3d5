// labelprobe probes, from runs that keep hidden states to the table.
#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using support::fixture;
using support::ProgramResult;
using support::run_program;
using support::TempFolder;

// Copies of the fixture's runs: files are written into them.
std::string copied(const TempFolder& folder, const std::string& name) {
  fs::copy(fixture("training/" + name), folder.path() / name);
  return (folder.path() / name).string();
}

}  // namespace

TEST_CASE("probes trains on runs, prints Table 2 and writes scores that align reads", "[e2e]") {
  const TempFolder folder;
  const std::string many = copied(folder, "many");
  const std::string one = copied(folder, "one");
  const std::string scored = copied(folder, "many_scored");
  const ProgramResult result =
      run_program({"probes", many, one, "--components", "6", "--max-iter", "50"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("micro F1") && ContainsSubstring("accuracy") &&
                             ContainsSubstring("Pred 2+") && ContainsSubstring("run 2: " + one));
  CHECK_THAT(result.err, ContainsSubstring("singular vectors of 45 x 12"));
  CHECK(fs::exists(fs::path(many) / "linear_probes/model.safetensors"));

  const ProgramResult exact =
      run_program({"probes", "--folder", many, "--eval-folder", scored, "--output",
                   (folder.path() / "out").string(), "--components", "6", "--solver", "exact",
                   "--format", "json", "--disable-tqdm"});
  INFO(exact.err);
  CHECK(exact.exit_code == 0);
  CHECK(exact.err.empty());
  const auto json = nlohmann::json::parse(exact.out);
  const auto reference = support::read_json(fixture("training/probes.json"));
  CHECK(json[0]["n_converged"] == 6);
  CHECK(json[0]["metrics"].size() == reference["cases"][1]["metrics"].size());
  CHECK(fs::exists(folder.path() / "out/eval_scores.yml"));
  CHECK(fs::exists(fs::path(scored) / "linear_probes/scores.yml"));
}

TEST_CASE("probes --dry-run says what would be done and writes nothing", "[e2e]") {
  const TempFolder folder;
  const std::string many = copied(folder, "many");
  const ProgramResult result = run_program({"probes", many, "--components", "6", "--dry-run"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out,
             ContainsSubstring("joy, fear, anger, surprise (multi-label)") &&
                 ContainsSubstring("57 with a state before their first label, 3 without") &&
                 ContainsSubstring("45 to train on, 12 to measure on") &&
                 ContainsSubstring(many + "/linear_probes/metrics.yml"));
  CHECK_FALSE(fs::exists(fs::path(many) / "linear_probes"));
}

TEST_CASE("probes refuses what does not go together", "[e2e]") {
  const std::string many = fixture("training/many").string();
  const auto refused = [](const std::vector<std::string>& words, int exit_code) {
    const ProgramResult result = run_program(words);
    CHECK(result.exit_code == exit_code);
    CHECK(result.out.empty());
    return result.err;
  };
  CHECK_THAT(refused({"probes"}, 2), ContainsSubstring("RUN_FOLDER: expected log folders"));
  CHECK_THAT(refused({"probes", many}, 2), ContainsSubstring("name fewer with --components"));
  CHECK_THAT(refused({"probes", many, "--l2", "2"}, 2),
             ContainsSubstring("--l2: the published SAGA has no penalty"));
  CHECK_THAT(refused({"probes", many, "--eval-folder", many, many}, 2),
             ContainsSubstring("--eval-folder: expected as many as runs, 1, found 2"));
  CHECK_THAT(refused({"probes", many, "--solver", "sagas"}, 2),
             ContainsSubstring("did you mean 'saga'"));
  CHECK_THAT(refused({"probes", fixture("training").string()}, 3), ContainsSubstring("training"));
}

}  // namespace labelprobe
