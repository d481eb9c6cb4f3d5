#include "app/options/command_line.h"

#include "labelprobe/core/error.h"

#include "support/catch.h"

namespace labelprobe::app {
namespace {

using Args = std::vector<std::string>;

// A command with two operands and an option of each kind.
struct Command {
  OptionList options;
  std::string task;
  Args folders;
  Args splits;
  std::string root;
  int n_shots = 0;
  int n_tokens = 0;
  bool is_dry = false;

  Command() {
    options.add(task, {.name = "TASK", .is_required = true});
    options.make_operand();
    options.add(folders, {.name = "FOLDER"});
    options.make_operand();
    options.add(n_shots, {.name = "shot"});
    options.add(n_tokens, {.name = "max_new_tokens", .other_name = "generation_max_length"});
    options.add(splits, {.name = "test_splits"});
    options.add(root, {.name = "log_root", .is_of_grid = true});
    options.add(is_dry, {.name = "dry_run"});
    options.add_special(OptionKind::Range, nullptr, {.name = "debug_len"}, [](const Given&) {});
    options.add(splits, {.name = "resample_seed", .flag = "seed"});
  }

  GivenValues parse(const Args& args, Grids grids = Grids::Taken) const {
    return parse_command_line(args, options, grids, [](const std::string& flag) {
      return flag == "--unreasonable-rate" ? " (a flag of labelprobe assess)" : "";
    });
  }
  Args values(const Args& args, const std::string& name, Grids grids = Grids::Taken) const {
    const GivenValues given = parse(args, grids);
    const auto found = given.find(name);
    return found == given.end() ? Args{} : found->second.values;
  }
};

}  // namespace

TEST_CASE("Flags are taken from prefixes, with underscores and with an equals sign", "[unit]") {
  const Command command;
  const Args args = {"T", "--sho", "0", "5", "--log_root=x", "--dry"};
  CHECK(command.values(args, "TASK") == Args{"T"});
  CHECK(command.values(args, "shot") == Args{"0", "5"});
  CHECK(command.values(args, "log_root") == Args{"x"});
  CHECK(command.values(args, "dry_run") == Args{"true"});
  CHECK(command.parse(args).at("log_root").place == "--log-root");
  CHECK(command.values({"T", "--log-root="}, "log_root") == Args{""});
  CHECK(command.values({"T", "--generation-max", "8"}, "max_new_tokens") == Args{"8"});
  CHECK(command.values({"T", "--seed", "1"}, "resample_seed") == Args{"1"});
}

TEST_CASE("Values may begin with a dash, and what stands behind -- is never a flag", "[unit]") {
  const Command command;
  CHECK(command.values({"T", "--shot", "-1", "3"}, "shot") == Args{"-1", "3"});
  CHECK(command.values({"T", "--log-root", "- {text}"}, "log_root") == Args{"- {text}"});
  CHECK(command.values({"--shot", "1", "--", "T", "--x"}, "FOLDER") == Args{"--x"});
}

TEST_CASE("Of a flag given again the last counts", "[unit]") {
  const Command command;
  CHECK(command.values({"T", "--shot", "0", "5", "--dry-run", "--sho", "3"}, "shot") == Args{"3"});
  CHECK(command.values({"T", "--max-new-tokens", "5", "--generation-max", "8"}, "max_new_tokens") ==
        Args{"8"});
}

TEST_CASE("A flag takes as many values as its kind", "[unit]") {
  const Command command;
  CHECK(command.values({"--debug-len", "2", "5", "T"}, "debug_len") == Args{"2", "5"});
  CHECK(command.values({"T", "--test-splits", "a", "b", "c"}, "test_splits").size() == 3);
  // Where no grid is made a scalar takes one, and the others are operands.
  CHECK(command.values({"--shot", "1", "T", "F"}, "FOLDER", Grids::None) == Args{"F"});
  // A flag leaves the last words to operands that must be given.
  CHECK(command.values({"--shot", "0", "5", "T"}, "shot") == Args{"0", "5"});
  CHECK(command.values({"--shot", "0", "5", "T"}, "TASK") == Args{"T"});
  CHECK_THROWS_WITH(command.parse({"T", "--shot"}),
                    ContainsSubstring("--shot: expected a value behind it"));
}

TEST_CASE("An unknown flag names the nearest, or the command that has it", "[unit]") {
  const Command command;
  CHECK_THROWS_WITH(command.parse({"--shots", "1"}),
                    ContainsSubstring("unknown flag '--shots'; did you mean '--shot'?"));
  CHECK_THROWS_WITH(
      command.parse({"--unreasonable_rate", "1"}),
      ContainsSubstring("unknown flag '--unreasonable-rate' (a flag of labelprobe assess)"));
  CHECK_THROWS_WITH(command.parse({"--d", "1"}),
                    ContainsSubstring("the beginning of several flags: --dry-run --debug-len"));
}

TEST_CASE("An argument too many is told", "[unit]") {
  OptionList options;
  std::string task;
  options.add(task, {.name = "TASK", .is_required = true});
  options.make_operand();
  CHECK_THROWS_WITH(
      parse_command_line(Args{"T", "b"}, options, Grids::None, [](const auto&) { return ""; }),
      ContainsSubstring("not expected: b"));
}

}  // namespace labelprobe::app
