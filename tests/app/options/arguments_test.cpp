#include "app/options/arguments.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::app {
namespace {

using Args = std::vector<std::string>;

// A program of two commands: `run` with a flag of several values, one of one value, one of none and
// one of two spellings; `assess` with a flag of its own.
struct Program {
  CLI::App app;
  std::string task;
  Args shots;
  Args tokens;
  std::string root;
  bool is_dry = false;
  std::string rate;

  Program() {
    CLI::App* run = app.add_subcommand("run");
    run->add_option("TASK", task);
    run->add_option("--shot", shots);
    run->add_option("--max-new-tokens,--generation-max-length", tokens);
    run->add_option("--log-root", root)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    run->add_flag("--dry-run", is_dry);
    app.add_subcommand("assess")->add_option("--unreasonable-rate", rate);
  }

  Args spell(const Args& args) const { return spell_out(app, args); }
};

}  // namespace

TEST_CASE("Flags are spelled out from prefixes and underscores", "[unit]") {
  const Program program;
  CHECK(program.spell({"run", "T", "--sho", "0", "5", "--log_root=x", "--dry"}) ==
        Args{"run", "T", "--shot", "0", "5", "--log-root=x", "--dry-run"});
  CHECK(program.spell({"run", "T", "--shot", "-1", "3"}) == Args{"run", "T", "--shot=-1", "3"});
  CHECK(program.spell({"--help"}) == Args{"--help"});
}

TEST_CASE("Of a flag of several values given again the last counts", "[unit]") {
  const Program program;
  CHECK(program.spell({"run", "T", "--shot", "0", "5", "--dry-run", "--sho", "3"}) ==
        Args{"run", "T", "--dry-run", "--shot", "3"});
  CHECK(program.spell({"run", "T", "--max-new-tokens", "5", "--generation-max", "8"}) ==
        Args{"run", "T", "--generation-max-length", "8"});
  CHECK(program.spell({"run", "T", "--log-root", "a", "--log-root", "b"}) ==
        Args{"run", "T", "--log-root", "a", "--log-root", "b"});
}

TEST_CASE("An unknown flag names the nearest, or the command that has it", "[unit]") {
  const Program program;
  CHECK_THROWS_WITH(program.spell({"run", "--shots", "1"}),
                    ContainsSubstring("unknown flag '--shots'; did you mean '--shot'?"));
  CHECK_THROWS_WITH(
      program.spell({"run", "--unreasonable_rate", "1"}),
      ContainsSubstring("unknown flag '--unreasonable-rate' (a flag of labelprobe assess)"));
  CHECK_THROWS_AS(program.spell({"rnu"}), ConfigError);
}

}  // namespace labelprobe::app
