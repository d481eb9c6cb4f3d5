// Several settings in one process, and the programs beside `run`, from flags to files.
#include <csignal>
#include <map>
#include <thread>

#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"

namespace labelprobe {
namespace {

using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::TempFolder;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++n;
  }
  return n;
}

std::filesystem::path folder_of_setting(const TempFolder& logs, const std::string& name) {
  return logs.path() / "GoEmotions" / name;
}

// The items of one setting run alone.
std::vector<record::ItemRecord> alone(const std::vector<std::string>& more) {
  const TempFolder logs;
  REQUIRE(run_program(run_arguments(logs.path(), more)).exit_code == 0);
  return record::read_run(folder_of_setting(logs, "e2e_0")).items;
}

}  // namespace

TEST_CASE("A grid runs every combination with one model, each as if it were alone", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result =
      run_program(run_arguments(logs.path(), {"--limit", "3", "--dev-splits", "dev", "--shot", "2",
                                              "4", "--seed", "1", "2"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(count(result.err, "parameters loaded in") == 1);
  std::size_t at = 0;
  for (const char* header :
       {"setting 1 of 4: shot 2, seed 1\n", "setting 2 of 4: shot 4, seed 1\n",
        "setting 3 of 4: shot 2, seed 2\n", "setting 4 of 4: shot 4, seed 2\n"}) {
    CAPTURE(header);
    at = result.err.find(header, at);
    REQUIRE(at != std::string::npos);
  }
  // Settings that differ in the seed alone share a folder.
  const std::string two = folder_of_setting(logs, "e2e_0").string() + "\n";
  const std::string four = folder_of_setting(logs, "e2e_1").string() + "\n";
  CHECK(result.out == two + four + two + four);
  for (const auto& [folder, shots] : {std::pair{"e2e_0", "2"}, {"e2e_1", "4"}}) {
    for (const int experiment : {0, 1}) {
      CAPTURE(folder, experiment);
      CHECK(record::read_run(folder_of_setting(logs, folder), experiment).items ==
            alone({"--limit", "3", "--shot", shots, "--seed", std::to_string(experiment + 1)}));
    }
  }
  CHECK(count(result.err, "dev_splits changes nothing") == 1);  // said once for all
  // A run's log file has no word of the other runs.
  CHECK(count(read_file(folder_of_setting(logs, "e2e_0") / "log.txt"), "log folder ") == 2);
}

TEST_CASE("Each model of a grid is loaded once, in whatever order the settings come", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result = run_program(run_arguments(
      logs.path(), {"--limit", "1", "{--shot", "1", "--model-dtype", "float32", "bfloat16}",
                    "{--shot", "2", "--model-dtype", "float32", "bfloat16}"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(count(result.err, "parameters loaded in") == 2);
  const std::size_t last_float = result.err.find("setting 2 of 4: shot 2, model_dtype float32");
  const std::size_t first_bfloat = result.err.find("setting 3 of 4: shot 1, model_dtype bfloat16");
  REQUIRE(first_bfloat != std::string::npos);
  CHECK(last_float < first_bfloat);
}

TEST_CASE("Demonstrations can have the labels that an earlier run predicted", "[e2e]") {
  const TempFolder logs;
  const ProgramResult earlier = run_program(run_arguments(
      logs.path(), {"--test-splits", "train", "--shot", "0", "--alternative", "prior"}));
  INFO(earlier.err);
  REQUIRE(earlier.exit_code == 0);
  const std::string prior = folder_of_setting(logs, "prior_0").string();
  std::map<std::string, record::ItemRecord> predicted;
  for (const record::ItemRecord& item : record::read_run(prior).items) {
    predicted[item.key] = item;
  }

  const ProgramResult prompts =
      run_program({"prompts", "GoEmotions", "--config", "configs/example/config.yaml", "--shot",
                   "2", "--limit", "1", "--label-mode", "preds", "--train-pred-log-dir", prior});
  INFO(prompts.err);
  REQUIRE(prompts.exit_code == 0);
  const nlohmann::json line = nlohmann::json::parse(prompts.out);
  for (const auto& id : line["demos"]) {
    const record::ItemRecord& item = predicted.at(id.get<std::string>());
    const nlohmann::ordered_json answer = {
        {"label", item.predictions.empty() ? std::vector<std::string>{"none"} : item.predictions}};
    std::string shown = answer.dump();
    shown.replace(shown.find(':'), 1, ": ");
    for (std::size_t at = 0; (at = shown.find("\",\"", at)) != std::string::npos;) {
      shown.replace(at, 3, "\", \"");
    }
    CHECK_THAT(line["text"].get<std::string>(),
               ContainsSubstring("Input: " + item.query_text + "\n" + shown + "\n"));
  }

  // The folder's name has the earlier log in the place that the published names give it.
  const ProgramResult run = run_program(
      run_arguments(logs.path(), {"--limit", "1", "--alternative-experiment-name", "prior-run",
                                  "--label-mode", "preds", "--train-pred-log-dir", prior}));
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(read_file(folder_of_setting(logs, "prior-run_0") / "names.txt"),
             ContainsSubstring("\nctrain_pred_log_dir___"));
}

TEST_CASE("A grid that was killed goes on with what is left and ends in the same bytes", "[e2e]") {
  const TempFolder logs;
  const auto arguments = [&](const std::string& name) {
    return run_arguments(logs.path() / name,
                         {"--limit", "6", "--batch-size", "1", "--seed", "1", "2", "3"},
                         "classify");
  };
  REQUIRE(run_program(arguments("whole")).exit_code == 0);
  support::StartedProgram program(arguments("killed"));
  const std::filesystem::path folder = logs.path() / "killed" / "GoEmotions" / "e2e_0";
  while (!std::filesystem::exists(folder / "journal_1.jsonl")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(program.pid(), SIGKILL);
  REQUIRE(program.finish().exit_code == 128 + SIGKILL);

  const ProgramResult rest = run_program(arguments("killed"));
  INFO(rest.err);
  REQUIRE(rest.exit_code == 0);
  CHECK(count(rest.err, "finished before: ") == 1);
  CHECK(rest.out == folder.string() + "\n" + folder.string() + "\n" + folder.string() + "\n");
  const auto contents = [&](const std::string& name) {
    auto files = support::contents_of(logs.path() / name);
    files.erase("GoEmotions/e2e_0/log.txt");     // has times
    files.erase("GoEmotions/e2e_0/params.yml");  // has the log root
    files.erase("GoEmotions/e2e_0/manifest.json");
    return files;
  };
  CHECK(contents("killed") == contents("whole"));
  CHECK_THAT(contents("killed").at("GoEmotions/e2e_0/aggregated_metrics.yml"),
             ContainsSubstring("\n  'n': 3\n"));
}

TEST_CASE("A setting that fails stops no other, and the exit code tells", "[e2e]") {
  const TempFolder logs;
  const ProgramResult mixed =
      run_program(run_arguments(logs.path(), {"--limit", "2", "--shot", "2", "1000", "3"}));
  INFO(mixed.err);
  CHECK(mixed.exit_code == 2);
  CHECK_THAT(mixed.err, ContainsSubstring("labelprobe: setting 2 of 3 (shot 1000): "));
  CHECK_THAT(mixed.err, ContainsSubstring("1 of 3 settings failed"));
  // It is told before anything runs.
  CHECK(mixed.err.find("shot 1000") < mixed.err.find("setting 1 of 3: shot 2"));
  CHECK(count(mixed.out, "\n") == 2);

  const TempFolder more_logs;
  const ProgramResult failed_items = run_program(
      run_arguments(more_logs.path(), {"--limit", "2", "--max-new-tokens", "100000", "4"}));
  CHECK(failed_items.exit_code == 1);
  CHECK(count(failed_items.out, "\n") == 2);
}

TEST_CASE("Groups of flags are settings of their own; a dry run shows all and writes nothing",
          "[e2e]") {
  const TempFolder logs;
  const ProgramResult result =
      run_program(run_arguments(logs.path(), {"--dry-run", "--limit", "1", "{--shot", "2}", "{",
                                              "--shot", "4", "--seed", "args.shot", "}"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("setting 1 of 2: shot 2, seed 0\n"));
  CHECK_THAT(result.out, ContainsSubstring("setting 2 of 2: shot 4, seed 4\n"));
  CHECK(count(result.out, "nothing was run") == 2);
  CHECK(std::filesystem::is_empty(logs.path()));
}

TEST_CASE("A list in a config file spans a grid; a flag replaces it", "[e2e]") {
  const TempFolder folder;
  support::write_file(folder.path() / "grid.yaml",
                      "seed: [3, null]\nlimit: 1\nlabel_mode: [random, _None_]\n");
  const std::vector<std::string> arguments = {"prompts",  "GoEmotions",
                                              "--config", (folder.path() / "grid.yaml").string(),
                                              "--config", "configs/example/config.yaml",
                                              "--shot",   "1"};
  const ProgramResult grid = run_program(arguments);
  INFO(grid.err);
  REQUIRE(grid.exit_code == 0);
  CHECK(count(grid.out, "\n") == 4);
  CHECK_THAT(grid.out, ContainsSubstring("\"setting\":\"seed 0, label_mode unset\""));
  std::vector<std::string> replaced = arguments;
  replaced.insert(replaced.end(), {"--seed", "1", "2", "--label-mode", "_None_", "--seed", "7"});
  CHECK(count(run_program(replaced).out, "\n") == 3);
}

TEST_CASE("Classify logs as the plain prompting program does", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result = run_program(run_arguments(
      logs.path(), {"--limit", "4", "--alternative-experiment-name", "_None_"}, "classify"));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  // The default name has no distribution: model, label modes, sampling, shots, ...
  const std::string model = "GoEmotions/" + [] {
    std::string encoded = support::fixture("e2e/model").string();
    for (std::size_t at = 0; (at = encoded.find('/', at)) != std::string::npos; at += 2) {
      encoded.replace(at, 1, "--");
    }
    return encoded;
  }();
  CHECK_THAT(result.out,
             ContainsSubstring(model + ",None,None,multilabel,3,aggregate,json,None_0"));
  const std::filesystem::path folder = result.out.substr(0, result.out.size() - 1);
  const std::string entries = read_file(folder / "indexed_metrics.yml");
  CHECK_THAT(entries, !ContainsSubstring("test_all_scores"));
  CHECK_THAT(entries, ContainsSubstring("test_scores"));
  CHECK(std::filesystem::exists(folder / "aggregated_metrics.yml"));
  // The same prompts and answers as the distribution program's.
  const auto expected = alone({"--limit", "4"});
  const auto items = record::read_run(folder).items;
  REQUIRE(items.size() == expected.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    CHECK(items[i].outs == expected[i].outs);
    CHECK(items[i].label_steps == expected[i].label_steps);
  }
}

TEST_CASE("Assess asks about labels and logs below a category of its own", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result = run_program(run_arguments(
      logs.path(),
      {"--limit", "3", "--config", "configs/example/assess.yaml", "--yn-labels", "false", "true"},
      "assess"));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  for (const char* name : {"e2e_0", "e2e_1"}) {
    const std::filesystem::path folder = logs.path() / "GoEmotionsReason" / name;
    CAPTURE(folder);
    const auto items = record::read_run(folder).items;
    REQUIRE(items.size() == 3);
    CHECK_FALSE(items[0].checked_label.empty());
    const std::string yes = std::string(name) == "e2e_0" ? "reasonable" : "yes";
    CHECK(items[0].gold == std::vector<std::string>{yes});
  }
}

TEST_CASE("Unary, binary and ratio runs log every question under their published names", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result = run_program(run_arguments(
      logs.path(), {"--limit", "1", "--distribution", "unary", "binary", "multilabel_icl",
                    "--alternative-experiment-name", "{distribution}"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  for (const auto& [name, n_items] : {std::pair<std::string, std::size_t>{"unary_0", 8},
                                      {"binary_0", 28},
                                      {"multilabel_ICL_0", 6}}) {
    CAPTURE(name);
    CHECK(record::read_run(folder_of_setting(logs, name)).items.size() == n_items);
    CHECK_FALSE(std::filesystem::exists(folder_of_setting(logs, name) / "metrics.yml"));
  }
  CHECK_THAT(read_file(folder_of_setting(logs, "multilabel_ICL_0") / "params.yml"),
             ContainsSubstring("distribution: multilabel_ICL"));
}

}  // namespace labelprobe
