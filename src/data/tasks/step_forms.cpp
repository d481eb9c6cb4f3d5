// The keys of the steps that task files do to tables.
#include <fmt/format.h>

#include "data/tasks/cell_pattern.h"
#include "data/tasks/table_steps.h"
#include "data/tasks/task_keys.h"
#include "data/tasks/task_values.h"

namespace labelprobe::data {

namespace {

using files::YamlView;
using Kind = TableStep::Kind;

// Texts by text: patterns by column, replacements by pattern. A replacement may be empty.
std::vector<std::pair<std::string, std::string>> text_pairs_of(const YamlView& value,
                                                               std::string_view what) {
  if (!value.is_map()) value.fail_expected(std::string(what));
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [first, second] : value.members()) {
    if (!second.is_scalar() || second.is_null()) second.fail_expected("a text");
    pairs.emplace_back(name_of(first, "a text"), second.text());
  }
  if (pairs.empty()) value.fail_expected(std::string(what));
  return pairs;
}

constexpr Key<TableStep> kStepKeys[] = {
    {"pattern",
     [](const YamlView& value, TableStep& step) {
       step.kind = Kind::Pattern;
       step.patterns = {{name_of(value, "a regular expression with named groups"), ""}};
     }},
    {"replace",
     [](const YamlView& value, TableStep& step) {
       step.kind = Kind::Replace;
       step.patterns = text_pairs_of(value, "a map of regular expressions to what replaces them");
     }},
    {"count",
     [](const YamlView& value, TableStep& step) {
       step.kind = Kind::Count;
       step.column = column_of(value);
     }},
    {"join",
     [](const YamlView& value, TableStep& step) {
       step.kind = Kind::Join;
       step.file = name_of(value, "a file");
     }},
    {"where",
     [](const YamlView& value, TableStep& step) {
       step.kind = Kind::Where;
       step.patterns = text_pairs_of(value, "a map of columns to regular expressions");
     }},
    {"file",
     [](const YamlView& value, TableStep& step) {
       step.kind = Kind::File;
       step.made = name_of(value, "a name for the column of file names");
     }},
    {"column", [](const YamlView& value, TableStep& step) { step.column = column_of(value); }},
    {"as", [](const YamlView& value,
              TableStep& step) { step.made = name_of(value, "a name for the new column"); }},
    {"otherwise",
     [](const YamlView& value, TableStep& step) {
       static constexpr std::pair<const char*, TableStep::Otherwise> kKnown[] = {
           {"refuse", TableStep::Otherwise::Refuse},
           {"leave out", TableStep::Otherwise::LeaveOut},
           {"empty", TableStep::Otherwise::Empty}};
       step.otherwise = choice_of<TableStep::Otherwise>(value, "treatment of other rows", kKnown);
     }},
    {"on", [](const YamlView& value, TableStep& step) { step.on = named_columns_of(value); }},
    {"take", [](const YamlView& value, TableStep& step) { step.taken = named_columns_of(value); }},
    {"sheet", [](const YamlView& value,
                 TableStep& step) { step.sheet = name_of(value, "the name of a sheet"); }},
    {"prepare", [](const YamlView& value, TableStep& step) { step.steps = table_steps_of(value); }},
};

struct StepShape {
  const char* name;
  std::vector<std::string> required;
  std::vector<std::string> optional;
};

const StepShape kShapes[] = {
    {"pattern", {"column"}, {"otherwise"}},
    {"replace", {"column"}, {"as"}},
    {"count", {"as"}, {}},
    {"join", {"on"}, {"take", "otherwise", "sheet", "prepare"}},
    {"where", {}, {}},
    {"file", {}, {}},
};

void check_shape(const YamlView& value) {
  const StepShape* shape = nullptr;
  std::vector<std::string> names;
  for (const StepShape& known : kShapes) {
    names.emplace_back(known.name);
    if (!value.find(known.name)) continue;
    if (shape != nullptr) {
      value.fail(fmt::format("prepare: expected {} or {}, each a step of its own", shape->name,
                             known.name));
    }
    shape = &known;
  }
  if (shape == nullptr) {
    value.fail(fmt::format("prepare: expected a step with one of {}", fmt::join(names, ", ")));
  }
  std::vector<std::string> known = {shape->name};
  known.insert(known.end(), shape->required.begin(), shape->required.end());
  known.insert(known.end(), shape->optional.begin(), shape->optional.end());
  check_keys(value, fmt::format("the step {}", shape->name), known);
  for (const std::string& key : shape->required) {
    if (!value.find(key)) value.fail(fmt::format("{}: expected {} beside it", shape->name, key));
  }
}

TableStep step_of(const YamlView& value) {
  if (!value.is_map()) value.fail_expected("a step such as {pattern: .., column: ..}");
  check_shape(value);
  TableStep step;
  step.place = value.place();
  read_keys<TableStep>(value, "a step", kStepKeys, step);
  if (step.kind == Kind::Replace && step.made.empty()) step.made = step.column.name;
  // What no table can mend is said before any is read.
  for (const auto& [first, second] : step.patterns) {
    const CellPattern pattern(step.kind == Kind::Where ? second : first, step.place);
    if (step.kind == Kind::Pattern && pattern.groups().empty()) {
      value.fail("pattern: expected named groups, (?<name>..), which become columns");
    }
  }
  return step;
}

}  // namespace

std::vector<TableStep> table_steps_of(const YamlView& value) {
  if (!value.is_list()) value.fail_expected("a list of steps");
  std::vector<TableStep> steps;
  for (const YamlView& step : value.items()) steps.push_back(step_of(step));
  return steps;
}

}  // namespace labelprobe::data
