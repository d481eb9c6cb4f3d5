// The program from flags to files, with a tiny model that has learned to answer; reference numbers
// from transformers (scripts/fixtures/e2e_reference.py).
#include <cmath>
#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "support/catch.h"

namespace labelprobe {
namespace {

using support::fixture;
using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::TempFolder;
using support::write_file;

// Every file of a finished run whose bytes must not depend on how it came about.
const std::vector<std::string> kFiles = {
    "indexed_metrics.yml", "metrics.yml", "annotator_metrics.yml",
    "params.yml",          "names.txt",   "steps.yml"};

TEST_CASE("A run gives transformers' answers, label steps and probabilities", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result = run_program(run_arguments(logs.path()));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::filesystem::path folder = logs.path() / "GoEmotions" / "e2e_0";
  CHECK(result.out == folder.string() + "\n");
  for (const std::string& file : kFiles) {
    CAPTURE(file);
    CHECK(std::filesystem::exists(folder / file));
  }
  CHECK(std::filesystem::exists(folder / "log.txt"));

  const nlohmann::json items = support::e2e_reference()["items"];
  const record::LoggedRun experiment = record::read_run(folder);
  REQUIRE(experiment.items.size() == items.size());
  std::size_t n_steps = 0;
  for (const record::ItemRecord& item : experiment.items) {
    CAPTURE(item.key);
    const nlohmann::json& expected = items.at(item.key);
    CHECK(item.n_prompt_tokens == expected["n_prompt_tokens"].get<std::int64_t>());
    CHECK(item.outs == expected["outs"].get<std::string>());
    CHECK(item.outs_ids == expected["outs_ids"].get<TokenIds>());
    REQUIRE(item.label_steps.size() == expected["all_scores"].size());
    for (std::size_t step = 0; step < item.label_steps.size(); ++step) {
      ++n_steps;
      for (const auto& [label, prob] : record::label_probs(item.label_steps[step])) {
        const double difference =
            std::abs(prob - expected["all_scores"][step][label].get<double>());
        CAPTURE(step, label, prob, expected["all_scores"][step][label].get<double>());
        CHECK(difference < 1e-5);
      }
    }
    REQUIRE(!item.likely_tokens().empty());
    CHECK(std::abs(item.likely_tokens()[0].logit - expected["top_token_logit"].get<double>()) <
          1e-4);
  }
  CHECK(n_steps > items.size() / 2);
}

TEST_CASE("The schedule changes no byte of the log", "[e2e]") {
  const TempFolder logs;
  const auto log_of = [&](const std::string& name, const std::vector<std::string>& more) {
    CAPTURE(name);
    REQUIRE(run_program(run_arguments(logs.path() / name, more)).exit_code == 0);
    return read_file(logs.path() / name / "GoEmotions" / "e2e_0" / "indexed_metrics.yml");
  };
  const std::string together = log_of("together", {});
  for (const auto& [name, more] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"one", {"--batch-size", "1", "--threads", "1"}},
           {"seven", {"--batch-size", "7", "--no-drafts"}},
           {"unshared", {"--no-share-prefixes", "--threads", "3"}}}) {
    CHECK(log_of(name, more) == together);
  }
}

TEST_CASE("The same command after a kill goes on and ends in the same bytes", "[e2e]") {
  const TempFolder logs;
  const std::vector<std::string> small_batches = {"--batch-size", "2"};
  REQUIRE(run_program(run_arguments(logs.path() / "whole", small_batches)).exit_code == 0);
  const std::filesystem::path whole = logs.path() / "whole" / "GoEmotions" / "e2e_0";

  const std::filesystem::path killed = logs.path() / "killed" / "GoEmotions" / "e2e_0";
  const std::vector<std::string> arguments = run_arguments(logs.path() / "killed", small_batches);
  int n_kills = 0;
  for (const std::uintmax_t journal_bytes : {1U, 6000U, 20000U}) {
    support::StartedProgram program(arguments);
    const std::filesystem::path journal = killed / "journal_0.jsonl";
    std::error_code missing;
    for (int waits = 0; waits < 20000; ++waits) {
      const std::uintmax_t size = std::filesystem::file_size(journal, missing);
      if (!missing && size >= journal_bytes) {
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ::kill(program.pid(), SIGKILL);
    n_kills += program.finish().exit_code == 128 + SIGKILL ? 1 : 0;
  }
  CHECK(n_kills > 0);
  // In another schedule: numbers do not depend on it.
  const ProgramResult last =
      run_program(run_arguments(logs.path() / "killed", {"--batch-size", "5", "--threads", "1",
                                                         "--no-share-prefixes", "--no-drafts"}));
  INFO(last.err);
  REQUIRE(last.exit_code == 0);
  for (const char* file :
       {"indexed_metrics.yml", "metrics.yml", "annotator_metrics.yml", "names.txt", "steps.yml"}) {
    CAPTURE(file);
    CHECK(read_file(killed / file) == read_file(whole / file));
  }
}

TEST_CASE("A killed run starts over where the model ends its answers otherwise by now", "[e2e]") {
  const TempFolder folder;
  const std::filesystem::path model = folder.path() / "model";
  std::filesystem::copy(fixture("e2e/model"), model, std::filesystem::copy_options::recursive);
  const auto arguments = [&](const std::string& name) {
    return run_arguments(folder.path() / name,
                         {"--batch-size", "1", "--model-name-or-path", model.string()});
  };
  support::StartedProgram program(arguments("killed"));
  const std::filesystem::path log = folder.path() / "killed" / "GoEmotions" / "e2e_0";
  std::error_code missing;
  while (std::filesystem::file_size(log / "journal_0.jsonl", missing) < 3000 || missing) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::kill(program.pid(), SIGKILL);
  REQUIRE(program.finish().exit_code == 128 + SIGKILL);

  write_file(model / "generation_config.json",
             R"({"eos_token_id": 2, "repetition_penalty": 1.7, "bad_words_ids": [[5]]})");
  const ProgramResult again = run_program(arguments("killed"));
  INFO(again.err);
  REQUIRE(again.exit_code == 0);
  CHECK_THAT(again.err, ContainsSubstring("starts over: changed since it was interrupted") &&
                            ContainsSubstring("generation settings"));
  REQUIRE(run_program(arguments("anew")).exit_code == 0);
  CHECK(read_file(log / "indexed_metrics.yml") ==
        read_file(folder.path() / "anew" / "GoEmotions" / "e2e_0" / "indexed_metrics.yml"));
}

TEST_CASE("The same command again says where the finished run is", "[e2e]") {
  const TempFolder logs;
  const std::string folder = (logs.path() / "GoEmotions" / "e2e_0").string();
  REQUIRE(run_program(run_arguments(logs.path(), {"--limit", "3"})).exit_code == 0);
  const auto files = support::contents_of(folder);
  const ProgramResult again =
      run_program(run_arguments(logs.path(), {"--limit", "3", "--disable-tqdm"}));
  CHECK(again.exit_code == 0);
  CHECK(again.out == folder + "\n");
  CHECK_THAT(again.err, ContainsSubstring("finished before: " + folder + ", experiment_0") &&
                            ContainsSubstring("--again appends another") &&
                            !ContainsSubstring("parameters loaded in"));
  CHECK(support::contents_of(folder) == files);
  const ProgramResult dry = run_program(run_arguments(logs.path(), {"--limit", "3", "--dry-run"}));
  CHECK_THAT(dry.out, ContainsSubstring("experiment_0, finished before: there is nothing to run"));

  // Failed items are told again, by the exit code too.
  const std::vector<std::string> too_long = {"--limit", "2", "--max-new-tokens", "100000"};
  REQUIRE(run_program(run_arguments(logs.path(), too_long)).exit_code == 1);
  const ProgramResult failed = run_program(run_arguments(logs.path(), too_long));
  CHECK(failed.exit_code == 1);
  CHECK_THAT(failed.err,
             ContainsSubstring("finished before: ") && ContainsSubstring("2 of its items failed"));
}

TEST_CASE("Another run appends an experiment and leaves the first as it was", "[e2e]") {
  const TempFolder logs;
  const std::filesystem::path folder = logs.path() / "GoEmotions" / "e2e_0";
  REQUIRE(run_program(run_arguments(logs.path(), {"--limit", "3"})).exit_code == 0);
  const std::string first = read_file(folder / "indexed_metrics.yml");
  REQUIRE(run_program(run_arguments(logs.path(), {"--limit", "3", "--again"})).exit_code == 0);
  const std::string both = read_file(folder / "indexed_metrics.yml");
  CHECK(both.substr(0, first.size()) == first);
  CHECK(record::read_run(folder).index == 1);
  CHECK(record::read_run(folder).items == record::read_run(folder, 0).items);
  // Other settings go into another folder.
  REQUIRE(run_program(run_arguments(logs.path(), {"--limit", "2"})).exit_code == 0);
  CHECK(std::filesystem::exists(logs.path() / "GoEmotions" / "e2e_1"));
}

TEST_CASE("A prompt that does not fit the context is recorded as failed and counted", "[e2e]") {
  const TempFolder logs;
  const ProgramResult result =
      run_program(run_arguments(logs.path(), {"--limit", "2", "--max-new-tokens", "100000"}));
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.err, ContainsSubstring("2 of 2 items failed"));
  const auto items = record::read_run(logs.path() / "GoEmotions" / "e2e_0").items;
  REQUIRE(items.size() == 2);
  REQUIRE(items[0].failure.has_value());
  CHECK_THAT(*items[0].failure, ContainsSubstring("context"));
}

TEST_CASE("A dry run shows prompt, tokens, labels, memory and folder, and writes nothing",
          "[e2e]") {
  const TempFolder logs;
  const ProgramResult result = run_program(run_arguments(logs.path(), {"--dry-run"}));
  REQUIRE(result.exit_code == 0);
  for (const char* part :
       {"Classify the following inputs", "shared prefix", "distinct", "label tokens", "admiration",
        "memory: weights", "e2e_0, experiment_0", "nothing was run"}) {
    CAPTURE(part);
    CHECK_THAT(result.out, ContainsSubstring(part));
  }
  CHECK(std::filesystem::is_empty(logs.path()));
}

TEST_CASE("Shows a log for people", "[e2e]") {
  const TempFolder logs;
  REQUIRE(run_program(run_arguments(logs.path(), {"--limit", "4"})).exit_code == 0);
  const ProgramResult shown =
      run_program({"show", (logs.path() / "GoEmotions" / "e2e_0").string(), "--items", "2"});
  CHECK(shown.exit_code == 0);
  for (const char* part : {"4 items, 2 shown", "gold:", "predicted:", "step 1"}) {
    CAPTURE(part);
    CHECK_THAT(shown.out, ContainsSubstring(part));
  }
}

}  // namespace
}  // namespace labelprobe
