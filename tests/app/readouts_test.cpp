// --readouts of the program: what they say beside answers that stay what they were.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "labelprobe/record/logged_run.h"

#include "app/e2e_run.h"
#include "app/killed_run.h"
#include "support/catch.h"
#include "support/program.h"

namespace labelprobe {
namespace {

namespace fs = std::filesystem;
using support::ProgramResult;
using support::read_file;
using support::run_arguments;
using support::run_program;
using support::TempFolder;

constexpr const char* kAll =
    "slot_trie,length_normalised,token_probability,marginal_fixed,hazard_union,greedy_bounds,"
    "marginal_any,marginal_exact,marginal_complete,marginal_given_valid,beam_sum,mc,mc_rb,"
    "forced_matrix";

fs::path log_of(const fs::path& logs) {
  return logs / "GoEmotions" / "e2e_0";
}

record::LoggedRun run_of(const fs::path& logs, const std::vector<std::string>& more) {
  const ProgramResult result = run_program(run_arguments(logs, more));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return record::read_run(log_of(logs));
}

const record::ReadoutValues& readout(const record::ItemRecord& item, const std::string& name) {
  const auto found = std::find_if(item.readouts.begin(), item.readouts.end(),
                                  [&](const auto& values) { return values.name == name; });
  REQUIRE(found != item.readouts.end());
  return *found;
}

double sum_of(const record::LabelValues& values) {
  double sum = 0;
  for (const auto& [name, prob] : values) sum += prob;
  return sum;
}

}  // namespace

TEST_CASE("Readouts leave answers as they are, and agree with each other", "[e2e]") {
  const TempFolder folder;
  const record::LoggedRun plain = run_of(folder.path() / "plain", {});
  const record::LoggedRun read = run_of(
      folder.path() / "read", {"--readouts", kAll, "--readout-delta", "1e-5", "--readout-nodes",
                               "4000", "--readout-places", "4000", "--readout-samples", "400"});
  REQUIRE(read.items.size() == plain.items.size());
  std::size_t n_tight = 0;
  for (std::size_t i = 0; i < plain.items.size(); ++i) {
    record::ItemRecord item = read.items[i];
    INFO(item.key);
    item.readouts.clear();
    CHECK(item == plain.items[i]);

    const record::ItemRecord& with = read.items[i];
    const record::ReadoutValues& exact = readout(with, "marginal_exact");
    const record::ReadoutValues& bounds = readout(with, "greedy_bounds");
    const record::ReadoutValues& slot = readout(with, "slot_trie");
    const record::ReadoutValues& beams = readout(with, "beam_sum");
    const record::ReadoutValues& drawn = readout(with, "mc_rb");
    constexpr double kRounding = 1e-5;
    CHECK(sum_of(slot.probs) + *slot.empty + *slot.off_format + *slot.unexplored ==
          Approx(1).margin(kRounding));
    double of_sets = 0;
    for (const record::SetProbability& set : exact.sets) of_sets += set.prob;
    CHECK(of_sets <= 1 + kRounding);
    for (std::size_t l = 0; l < exact.probs.size(); ++l) {
      INFO(exact.probs[l].first);
      CHECK(exact.lower[l].second <= exact.probs[l].second + kRounding);
      CHECK(exact.probs[l].second <= exact.upper[l].second + kRounding);
      CHECK(bounds.lower[l].second <= exact.upper[l].second + kRounding);
      CHECK(bounds.upper[l].second >= exact.lower[l].second - kRounding);
      CHECK(beams.probs[l].second <= exact.upper[l].second + kRounding);
      const double error = std::max(drawn.std_errors[l].second, 0.005F);
      CHECK(std::abs(drawn.probs[l].second - exact.probs[l].second) <=
            4 * error + *exact.unexplored);
    }
    n_tight += *exact.unexplored < 1e-3F ? 1 : 0;
  }
  CHECK(n_tight > plain.items.size() / 2);
}

TEST_CASE("Answers of one word are read at both of their places", "[e2e]") {
  const TempFolder folder;
  const std::vector<std::string> more = {"--distribution", "binary", "--limit", "1"};
  const record::LoggedRun plain = run_of(folder.path() / "plain", more);
  std::vector<std::string> with = more;
  with.insert(with.end(), {"--readouts", "slot_trie,marginal_exact"});
  const record::LoggedRun read = run_of(folder.path() / "read", with);
  REQUIRE(read.items.size() == plain.items.size());
  for (std::size_t i = 0; i < plain.items.size(); ++i) {
    record::ItemRecord item = read.items[i];
    INFO(item.key);
    item.readouts.clear();
    CHECK(item == plain.items[i]);
    const std::vector<record::ReadoutValues>& readouts = read.items[i].readouts;
    REQUIRE(readouts.size() == 4);
    for (const auto& [marginal, words] : {std::pair{&readouts[1], &plain.items[i].first_answer},
                                          {&readouts[3], &plain.items[i].healed_answer}}) {
      CHECK(marginal->name == "marginal_exact");
      CHECK(marginal->place == (marginal == &readouts[1] ? record::ReadoutPlace::First
                                                         : record::ReadoutPlace::Healed));
      for (std::size_t w = 0; w < 2; ++w) {
        // Both forms are whole words here; behind a line break there is more.
        const double both = (*words)->bare_probs[w].second + (*words)->spaced_probs[w].second;
        CHECK(marginal->upper[w].second >= both * (1 - 1e-4));
        CHECK(marginal->lower[w].second <= both + 0.1);
      }
    }
  }
}

TEST_CASE("A killed run with readouts goes on and ends in the same bytes", "[e2e]") {
  const TempFolder folder;
  const std::vector<std::string> more = {"--readouts", "marginal_exact,mc", "--readout-samples",
                                         "30",         "--batch-size",      "2"};
  run_of(folder.path() / "whole", more);
  support::start_and_kill(run_arguments(folder.path() / "killed", more),
                          log_of(folder.path() / "killed") / "journal_0.jsonl", 4000);
  run_of(folder.path() / "killed", {"--readouts", "marginal_exact,mc", "--readout-samples", "30",
                                    "--batch-size", "5", "--no-share-prefixes"});
  CHECK(read_file(log_of(folder.path() / "killed") / "indexed_metrics.yml") ==
        read_file(log_of(folder.path() / "whole") / "indexed_metrics.yml"));
}

TEST_CASE("Readouts that make no sense are refused before a model is loaded", "[e2e]") {
  const TempFolder folder;
  const auto refusal = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = run_arguments(folder.path(), more);
    const ProgramResult result = run_program(arguments);
    CHECK(result.exit_code == 2);
    CHECK_FALSE(fs::exists(log_of(folder.path())));
    return result.err;
  };
  CHECK_THAT(refusal({"--readouts", "marginal_exakt"}), ContainsSubstring("marginal_exact"));
  CHECK_THAT(
      refusal({"--readouts", "mc", "--distribution", "verbalized", "--max-new-tokens", "60"}),
      ContainsSubstring("readouts are of answers that are labels or one word; those of plan "
                        "'verbalized' are not"));
  CHECK_THAT(refusal({"--readouts", "forced_matrix", "--distribution", "unary"}),
             ContainsSubstring("forced_matrix: these answers have one label"));
  CHECK_THAT(refusal({"--readouts", "forced_prefix"}), ContainsSubstring("forced_prefix"));
  CHECK_THAT(refusal({"--readouts", "mc", "--readout-delta", "2"}), ContainsSubstring("delta"));
}

}  // namespace labelprobe
