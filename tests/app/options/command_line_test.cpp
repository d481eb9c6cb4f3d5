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
  Args configs;
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
    options.add(configs, {.name = "config", .is_one_by_one = true});
    options.add_special(OptionKind::Range, nullptr, {.name = "debug_len"}, [](const Given&) {});
    options.add(splits, {.name = "resample_seed", .flag = "seed"});
  }

  GivenValues parse(const Args& args, Grids grids = Grids::Taken) const {
    return parse_command_line(words_of(args), options, grids, [](const std::string& flag) {
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
  for (const std::string text :
       {"- {text}", "-x", "-o", "--- {text}", "--", "[INST] {text} [/INST]", "[a,b]", "", "{}"}) {
    INFO(text);
    if (text != "--") {
      CHECK(command.values({"T", "--log-root", text}, "log_root") == Args{text});
      CHECK(command.values({"T", "--test-splits", "a", text, "b"}, "test_splits") ==
            Args{"a", text, "b"});
      CHECK(command.values({"T", text}, "FOLDER") == Args{text});
    }
    CHECK(command.values({"T", "--log-root=" + text}, "log_root") == Args{text});
    CHECK(command.values({"T", "--", "a", text}, "FOLDER") == Args{"a", text});
  }
  CHECK(command.values({"--shot", "1", "--", "T", "--x"}, "FOLDER") == Args{"--x"});
}

TEST_CASE("A flag that is given again adds up or is refused", "[unit]") {
  const Command command;
  CHECK(command.values({"T", "--shot", "0", "5", "--dry-run", "--sho", "3"}, "shot") ==
        Args{"0", "5", "3"});
  CHECK(command.values({"T", "--max-new-tokens", "5", "--generation-max", "8"}, "max_new_tokens") ==
        Args{"5", "8"});
  CHECK(command.values({"T", "--test-splits", "a", "--test-splits", "b"}, "test_splits") ==
        Args{"a", "b"});
  CHECK_THROWS_WITH(command.parse({"T", "--shot", "5", "--shot", "8"}, Grids::None),
                    ContainsSubstring("--shot: expected once, found '5' and then '8'"));
  CHECK_THROWS_WITH(command.parse({"T", "--log-root", "a", "--log-root", "b"}),
                    ContainsSubstring("--log-root: expected once"));
  CHECK_THROWS_WITH(command.parse({"T", "--debug-len", "1", "--debug-len", "2", "3"}),
                    ContainsSubstring("--debug-len: expected once, found '1' and then '2 3'"));
  CHECK(command.values({"T", "--log-root", "a", "--log-root", "a"}, "log_root") == Args{"a"});
  CHECK(command.values({"T", "--dry-run", "--dry-run"}, "dry_run") == Args{"true"});
}

TEST_CASE("What a group sets counts more than what stands outside of it", "[unit]") {
  const Command command;
  const std::vector<Word> words = {{"T"},        {"--shot"},        {"0"},    {"--log-root"},
                                   {"outside"},  {"--shot", 1},     {"5", 1}, {"--shot", 1},
                                   {"8", 1},     {"--log-root", 1}, {"x", 1}, {"--log-root", 2},
                                   {"inside", 2}};
  const GivenValues given =
      parse_command_line(words, command.options, Grids::Taken, [](const auto&) { return ""; });
  CHECK(given.at("shot").values == Args{"5", "8"});
  CHECK(given.at("log_root").values == Args{"inside"});
}

TEST_CASE("An option that takes one value at a time leaves the next word alone", "[unit]") {
  const Command command;
  const Args args = {"--config", "a", "T", "F", "--config", "b", "G"};
  CHECK(command.values(args, "config") == Args{"a", "b"});
  CHECK(command.values(args, "TASK") == Args{"T"});
  CHECK(command.values(args, "FOLDER") == Args{"F", "G"});
}

TEST_CASE("Where an operand is missing, the flag that took the words is named", "[unit]") {
  const Command command;
  CHECK_THROWS_WITH(
      command.parse({"--test-splits", "T"}),
      ContainsSubstring("TASK is required") && ContainsSubstring("--test-splits took 'T'"));
  CHECK(command.parse({"--log-root", "T"}).count("TASK") == 0);
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
  CHECK_THROWS_WITH(parse_command_line(words_of(Args{"T", "b"}), options, Grids::None,
                                       [](const auto&) { return ""; }),
                    ContainsSubstring("not expected: b"));
}

}  // namespace labelprobe::app
