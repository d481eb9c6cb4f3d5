// The keys of task files, all of them, and what each is read into.
#include "data/tasks/task_form.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/data/task_draft.h"
#include "labelprobe/files/yaml.h"

#include "data/forms/task_text.h"
#include "data/reading/records.h"
#include "data/tasks/task_keys.h"

namespace labelprobe::data {

namespace {

using files::YamlView;

// --- Values ---

std::string text_of(const YamlView& value) {
  if (!value.is_scalar() || value.is_null()) value.fail_expected("a text");
  return value.text();
}

std::string name_of(const YamlView& value, std::string_view what) {
  if (!value.is_scalar() || value.is_null() || value.text().empty()) {
    value.fail_expected(std::string(what));
  }
  return value.text();
}

// One text or a list of them.
std::vector<std::string> texts_of(const YamlView& value, std::string_view what) {
  if (!value.is_list()) return {name_of(value, what)};
  std::vector<std::string> texts;
  for (const YamlView& item : value.items()) texts.push_back(name_of(item, what));
  if (texts.empty()) value.fail_expected(std::string(what));
  return texts;
}

ColumnName column_of(const YamlView& value) {
  return {name_of(value, "the name of a column"), value.place()};
}

TextForm form_of(const YamlView& value) {
  return {name_of(value, "the name of a column, or a template such as '{title}: {body}'"),
          value.place()};
}

// A list of columns, each called as itself, or a map name -> column.
std::vector<std::pair<std::string, ColumnName>> named_columns_of(const YamlView& value) {
  std::vector<std::pair<std::string, ColumnName>> columns;
  if (value.is_map()) {
    for (const auto& [name, column] : value.members()) {
      columns.emplace_back(name_of(name, "a name"), column_of(column));
    }
  } else {
    if (!value.is_list()) value.fail_expected("a list of columns, or a map of names to columns");
    for (const YamlView& item : value.items()) {
      columns.emplace_back(column_of(item).name, column_of(item));
    }
  }
  if (columns.empty()) value.fail_expected("at least one column");
  return columns;
}

bool boolean_of(const YamlView& value) {
  const auto found = value.boolean();
  if (!found) value.fail_expected("true or false");
  return *found;
}

template <typename Value>
Value choice_of(const YamlView& value,
                std::string_view kind,
                std::span<const std::pair<const char*, Value>> known) {
  std::vector<std::string> names;
  for (const auto& [name, meant] : known) {
    if (value.is_scalar() && value.text() == name) return meant;
    names.emplace_back(name);
  }
  if (!value.is_scalar()) value.fail_expected(fmt::format("{}", fmt::join(names, ", ")));
  value.fail(unknown_choice(kind, value.text(), names));
}

// --- Sections ---

constexpr Key<LabelForm> kLabelKeys[] = {
    {"column",
     [](const YamlView& value, LabelForm& labels) {
       labels.kind = LabelForm::Kind::List;
       labels.column = column_of(value);
     }},
    {"separator",
     [](const YamlView& value, LabelForm& labels) {
       labels.separator = name_of(value, "what stands between two labels");
     }},
    {"columns",
     [](const YamlView& value, LabelForm& labels) {
       labels.kind = LabelForm::Kind::Columns;
       labels.columns = named_columns_of(value);
     }},
    {"largest",
     [](const YamlView& value, LabelForm& labels) { labels.takes_one = boolean_of(value); }},
    {"class",
     [](const YamlView& value, LabelForm& labels) {
       labels.kind = LabelForm::Kind::Class;
       labels.column = column_of(value);
     }},
};

LabelForm labels_of(const YamlView& value) {
  LabelForm labels;
  labels.place = value.place();
  read_keys<LabelForm>(value, "labels", kLabelKeys, labels);
  const bool has_column = value.find("column").has_value();
  const int n_ways =
      (has_column ? 1 : 0) + (value.find("columns") ? 1 : 0) + (value.find("class") ? 1 : 0);
  if (n_ways != 1) {
    value.fail(
        "labels: expected one of column (lists of labels), columns (a column for each label) and "
        "class (one label)");
  }
  if (!labels.separator.empty() && !has_column) {
    value.fail("labels: separator belongs to column, the lists of labels");
  }
  if (labels.takes_one && labels.columns.empty()) {
    value.fail("labels: largest belongs to columns, the shares of the labels");
  }
  return labels;
}

constexpr Key<VoteForm> kVoteKeys[] = {
    {"file", [](const YamlView& value,
                VoteForm& votes) { votes.files = texts_of(value, "a file or a list of files"); }},
    {"item", [](const YamlView& value, VoteForm& votes) { votes.item = form_of(value); }},
    {"annotator", [](const YamlView& value, VoteForm& votes) { votes.annotator = form_of(value); }},
    {"labels", [](const YamlView& value, VoteForm& votes) { votes.labels = labels_of(value); }},
    {"columns",
     [](const YamlView& value, VoteForm& votes) { votes.columns = named_columns_of(value); }},
    {"separator",
     [](const YamlView& value, VoteForm& votes) {
       votes.labels.separator = name_of(value, "what stands between two labels");
     }},
    {"unknown_items",
     [](const YamlView& value, VoteForm& votes) {
       static constexpr std::pair<const char*, bool> kKnown[] = {{"refuse", false}, {"skip", true}};
       votes.skips_unknown_items = choice_of<bool>(value, "treatment of unknown items", kKnown);
     }},
    {"contradictions",
     [](const YamlView& value, VoteForm& votes) {
       static constexpr std::pair<const char*, bool> kKnown[] = {{"keep", false},
                                                                 {"leave out", true}};
       votes.drops_contradictions =
           choice_of<bool>(value, "treatment of labels beside none_word", kKnown);
     }},
};

// A column for each annotator: their cells are read as the labels' are.
void complete_wide_votes(const YamlView& value, const TaskFile& task, VoteForm& votes) {
  if (value.find("labels") || value.find("annotator") || value.find("item")) {
    value.fail("votes: columns, one for each annotator, go with file and separator only");
  }
  votes.labels.kind = LabelForm::Kind::List;
  const bool is_class =
      task.labels ? task.kind() == LabelKind::SingleLabel : votes.labels.separator.empty();
  if (is_class && votes.labels.separator.empty()) votes.labels.kind = LabelForm::Kind::Class;
}

VoteForm votes_of(const YamlView& value, const TaskFile& task) {
  VoteForm votes;
  votes.place = value.place();
  votes.labels.place = value.place();
  read_keys<VoteForm>(value, "votes", kVoteKeys, votes);
  if (!votes.columns.empty()) {
    if (!votes.files.empty()) {
      value.fail("votes: columns, one for each annotator, are those of the items' own table");
    }
    complete_wide_votes(value, task, votes);
    return votes;
  }
  if (value.find("separator")) {
    value.fail("votes: separator goes with columns; write it into labels");
  }
  if (!value.find("labels") || !votes.annotator.is_given()) {
    value.fail(
        "votes: expected annotator and labels (one vote a row, or lists in the rows of the items), "
        "or columns (one for each annotator)");
  }
  if (votes.files.empty() && (votes.item.is_given() || votes.skips_unknown_items)) {
    value.fail("votes: item and unknown_items belong to file, votes in a table of their own");
  }
  return votes;
}

void read_shares(const YamlView& value, SplitForm& split) {
  double sum = 0.0;
  for (const auto& [name, share] : value.members()) {
    if (name.text() == "seed") {
      const auto seed = share.integer();
      if (!seed) share.fail_expected("a whole number");
      split.seed = *seed;
      continue;
    }
    const auto number = share.number();
    if (!number || !(*number > 0.0 && *number <= 1.0)) {
      share.fail_expected("a share above 0 and at most 1, or column, ids or texts before it");
    }
    split.shares.emplace_back(name.text(), *number);
    sum += *number;
  }
  constexpr double kRounding = 1e-9;
  if (split.shares.empty() || sum > 1.0 + kRounding) {
    value.fail(fmt::format("split: expected shares that are 1 together at most, found {}", sum));
  }
}

SplitForm split_of(const YamlView& value) {
  if (!value.is_map()) {
    value.fail_expected("{column: fold}, {train: 0.8, test: 0.2, seed: 0} or {ids: FILE}");
  }
  SplitForm split;
  split.place = value.place();
  static constexpr std::pair<const char*, SplitForm::Kind> kKinds[] = {
      {"column", SplitForm::Kind::Column},
      {"ids", SplitForm::Kind::Ids},
      {"texts", SplitForm::Kind::Texts}};
  std::string kind_key;
  for (const auto& [key, kind] : kKinds) {
    const auto found = value.find(key);
    if (!found) continue;
    if (!kind_key.empty()) value.fail(fmt::format("split: expected {} or {}", kind_key, key));
    kind_key = key;
    split.kind = kind;
    if (kind == SplitForm::Kind::Column) {
      split.column = column_of(*found);
    } else {
      split.file = name_of(*found, "a file");
    }
  }
  if (kind_key.empty()) {
    split.kind = SplitForm::Kind::Shares;
    read_shares(value, split);
    return split;
  }
  for (const auto& [name, called] : value.members()) {
    if (name.text() == kind_key) continue;
    split.names.emplace_back(name_of(name, "the name of a split"),
                             texts_of(called, "what the data call the split"));
  }
  return split;
}

void read_files(const YamlView& value, TaskFile& task) {
  task.files_place = value.place();
  if (!value.is_map()) {
    task.files = {{"", texts_of(value, "a file, a list of files, or a map of splits to files")}};
    return;
  }
  for (const auto& [split, files] : value.members()) {
    task.files.emplace_back(name_of(split, "the name of a split"),
                            texts_of(files, "a file or a list of files"));
  }
  if (task.files.empty()) value.fail_expected("at least one split with its files");
}

// A map label -> what the data call it, or the path of a YAML or JSON file with one.
void read_label_map(const YamlView& value, TaskFile& task) {
  if (value.is_scalar()) {
    read_label_map(
        files::load_yaml(task.path.parent_path() / name_of(value, "a file"), ErrorKind::Config),
        task);
    return;
  }
  if (!value.is_map()) value.fail_expected("a map of labels to what the data call them");
  for (const auto& [label, called] : value.members()) {
    task.label_map.emplace_back(name_of(label, "a label"),
                                texts_of(called, "what the data call the label"));
  }
  if (task.label_map.empty()) value.fail_expected("at least one label");
}

const Key<TaskFile> kTaskKeys[] = {
    {"name", [](const YamlView& value, TaskFile& task) { task.name = name_of(value, "a name"); }},
    {"domain",
     [](const YamlView& value, TaskFile& task) {
       static constexpr std::pair<const char*, TextDomain> kKnown[] = {
           {"twitter", TextDomain::Twitter},
           {"reddit", TextDomain::Reddit},
           {"none", TextDomain::Other}};
       task.domain = choice_of<TextDomain>(value, "domain", kKnown);
     }},
    {"files", read_files},
    {"format",
     [](const YamlView& value, TaskFile& task) {
       const std::string name = text_of(value);
       if (const auto form = find_table_form(name)) {
         task.form = *form;
         return;
       }
       task.format = files::find_table_format("table." + name);
       if (task.format) return;
       std::vector<std::string> known = files::table_format_names();
       const std::vector<std::string> forms = table_form_names();
       known.insert(known.end(), forms.begin(), forms.end());
       value.fail(unknown_choice("table format", name, known));
     }},
    {"delimiter",
     [](const YamlView& value, TaskFile& task) {
       const std::string text = text_of(value);
       if (text.size() != 1) value.fail_expected("one character of ASCII, e.g. \"\\t\"");
       task.delimiter = text.front();
     }},
    {"header", [](const YamlView& value,
                  TaskFile& task) { task.header = texts_of(value, "the names of the columns"); }},
    {"split", [](const YamlView& value, TaskFile& task) { task.split = split_of(value); }},
    {"id", [](const YamlView& value, TaskFile& task) { task.id = form_of(value); }},
    {"text", [](const YamlView& value, TaskFile& task) { task.text = form_of(value); }},
    {"labels", [](const YamlView& value, TaskFile& task) { task.labels = labels_of(value); }},
    // Behind labels in this list, for they decide how cells of annotators are read.
    {"votes", [](const YamlView& value, TaskFile& task) { task.votes = votes_of(value, task); }},
    {"label_names", [](const YamlView& value,
                       TaskFile& task) { task.label_names = texts_of(value, "names of labels"); }},
    {"label_map", read_label_map},
    {"shown_as",
     [](const YamlView& value, TaskFile& task) {
       if (!value.is_map()) value.fail_expected("a map of labels to what prompts call them");
       for (const auto& [label, shown] : value.members()) {
         task.shown_as.emplace_back(name_of(label, "a label"),
                                    name_of(shown, "what prompts call the label"));
       }
     }},
    {"none_word",
     [](const YamlView& value, TaskFile& task) {
       task.none_words = texts_of(value, "what the data call no label");
     }},
};

void check_whole(const YamlView& root, const TaskFile& task) {
  const auto require = [&](bool is_there, std::string_view what) {
    if (!is_there) root.fail(fmt::format("expected {}", what));
  };
  require(!task.files.empty(), "files, the tables of the data set, e.g. files: {train: train.csv}");
  require(task.text.is_given(), "text, the column with the texts, e.g. text: tweet");
  require(task.labels || task.votes,
          "labels, e.g. labels: {column: labels, separator: \"|\"}, or votes");
  const bool has_one_list = task.files.size() == 1 && task.files.front().first.empty();
  if (task.split.kind != SplitForm::Kind::None && !has_one_list) {
    throw ConfigError(task.split.place +
                      ": expected split where files names no splits; found splits in both");
  }
  if (task.split.kind == SplitForm::Kind::Texts && task.id.is_given()) {
    throw ConfigError(task.split.place + ": expected no id beside split texts, whose file has ids");
  }
  const bool needs_id =
      (task.votes && !task.votes->files.empty()) || task.split.kind == SplitForm::Kind::Ids;
  require(!needs_id || task.id.is_given() || task.split.kind == SplitForm::Kind::Texts,
          "id, the column by which other files name the items");
  if (task.labels && task.votes && task.labels->label_kind() != task.votes->labels.label_kind()) {
    throw ConfigError(task.votes->place +
                      ": expected votes of as many labels as labels has: one (class, largest) in "
                      "both or any number in both");
  }
}

// The task file, or that which data without one stand for.
YamlView read_root(const std::filesystem::path& path, TaskFile& task) {
  if (is_yaml_file(path)) return files::load_yaml(path, ErrorKind::Config);
  const TaskDraft draft = known_task(path.string());
  task.notes.push_back(fmt::format("{}: read as {}{}; labelprobe init {} shows it as a task file",
                                   path.string(), draft.form,
                                   draft.is_guessed ? ", its columns guessed" : "", path.string()));
  return files::parse_yaml(draft.text, {path.string() + " as a task file", ErrorKind::Config});
}

}  // namespace

TaskFile read_task_file(const std::filesystem::path& path) {
  TaskFile task;
  task.path = path;
  const YamlView root = read_root(path, task);
  task.name = path.stem().string();
  if (!root.is_map()) root.fail_expected("a task file: name, files, text, labels, ...");
  read_keys<TaskFile>(root, "a task file", kTaskKeys, task, task_option_keys());
  read_options(root, task);
  check_whole(root, task);
  if (task.name.find('/') != std::string::npos || task.name.starts_with('.')) {
    root.fail(fmt::format("name: expected a name that a folder can have, found '{}'", task.name));
  }
  return task;
}

TaskInfo describe(const TaskFile& task) {
  return {task.name, task.votes.has_value(), !task.id.is_given() && task.files.size() > 1};
}

}  // namespace labelprobe::data
