// The keys of task files and what each is read into.
#include "data/tasks/task_form.h"

#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/data/task_draft.h"
#include "labelprobe/files/yaml.h"

#include "data/forms/task_text.h"
#include "data/reading/records.h"
#include "data/tasks/task_keys.h"
#include "data/tasks/task_sections.h"
#include "data/tasks/task_values.h"

namespace labelprobe::data {

namespace {

using files::YamlView;

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

void read_label_pairs(const YamlView& value, TaskFile& task) {
  if (!value.is_map()) value.fail_expected("a map of labels to what the data call them");
  for (const auto& [label, called] : value.members()) {
    task.label_map.emplace_back(name_of(label, "a label"),
                                texts_of(called, "what the data call the label"));
  }
  if (task.label_map.empty()) value.fail_expected("at least one label");
}

// A list, or {file: classes.txt, separator: ","}.
void read_label_names(const YamlView& value, TaskFile& task) {
  if (!value.is_map()) {
    task.label_names = texts_of(value, "names of labels");
    return;
  }
  static constexpr Key<LabelFile> kKeys[] = {
      {"file", [](const YamlView& key,
                  LabelFile& label_file) { label_file.file = name_of(key, "a file"); }},
      {"separator",
       [](const YamlView& key, LabelFile& label_file) {
         label_file.separator = name_of(key, "what stands between two labels");
       }},
  };
  LabelFile& label_file = task.label_file.emplace();
  label_file.place = value.place();
  read_keys<LabelFile>(value, "label_names", kKeys, label_file);
  if (label_file.file.empty()) value.fail("label_names: expected file, which has the names");
}

// A map label -> what the data call it, or the path of a YAML or JSON file with one; that file
// names no further one, which might be itself.
void read_label_map(const YamlView& value, TaskFile& task) {
  if (!value.is_scalar()) return read_label_pairs(value, task);
  const std::filesystem::path path = task.path.parent_path() / name_of(value, "a file");
  read_label_pairs(files::load_yaml(path, ErrorKind::Config), task);
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
    {"sheet", [](const YamlView& value,
                 TaskFile& task) { task.sheet = name_of(value, "the name of a sheet"); }},
    {"header", [](const YamlView& value,
                  TaskFile& task) { task.header = texts_of(value, "the names of the columns"); }},
    {"bad_bytes", [](const YamlView& value, TaskFile& task) { task.bad_bytes = text_of(value); }},
    {"prepare", [](const YamlView& value, TaskFile& task) { task.steps = table_steps_of(value); }},
    {"split", [](const YamlView& value, TaskFile& task) { task.split = split_of(value); }},
    {"id", [](const YamlView& value, TaskFile& task) { task.id = text_form_of(value); }},
    {"repeated_ids",
     [](const YamlView& value, TaskFile& task) {
       static constexpr std::pair<const char*, RepeatedIds> kKnown[] = {
           {"refuse", RepeatedIds::Refuse},
           {"first", RepeatedIds::First},
           {"last", RepeatedIds::Last}};
       task.repeated_ids = choice_of<RepeatedIds>(value, "treatment of repeated ids", kKnown);
     }},
    {"text", [](const YamlView& value, TaskFile& task) { task.text = text_form_of(value); }},
    {"labels", [](const YamlView& value, TaskFile& task) { task.labels = labels_of(value); }},
    // Behind labels in this list, for they decide how cells of annotators are read.
    {"votes", [](const YamlView& value, TaskFile& task) { task.votes = votes_of(value, task); }},
    {"label_names", read_label_names},
    {"label_map", read_label_map},
    {"unknown_labels",
     [](const YamlView& value, TaskFile& task) {
       static constexpr std::pair<const char*, bool> kKnown[] = {{"refuse", false},
                                                                 {"leave out", true}};
       task.skips_unknown_labels = choice_of<bool>(value, "treatment of unknown labels", kKnown);
     }},
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

// Whether the rows of the items are one vote each.
bool is_vote_a_row(const TaskFile& task) {
  return task.votes && task.votes->files.empty() && task.votes->columns.empty();
}

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
  const bool needs_id = (task.votes && !task.votes->files.empty() && !task.votes->names_texts) ||
                        task.split.kind == SplitForm::Kind::Ids;
  require(!needs_id || task.id.is_given() || task.split.kind == SplitForm::Kind::Texts,
          "id, the column by which other files name the items");
  const bool has_names = !task.label_names.empty() || task.label_file || !task.label_map.empty();
  require(!task.skips_unknown_labels || has_names,
          "label_names or label_map beside unknown_labels: without them every label is known");
  for (const auto& [label, shown] : task.shown_as) {
    if (folded(label) == kNoneLabel && task.kind() == LabelKind::MultiLabel) {
      root.fail(
          fmt::format("shown_as: expected names of labels, found '{}': prompts, answers and logs "
                      "say '{}' where "
                      "there is no label; none_word is what the data say",
                      label, kNoneLabel));
    }
  }
  if (task.kind() == LabelKind::SingleLabel && task.none_words != TaskFile().none_words) {
    root.fail(
        "none_word: expected no such key where items have one label each (class, largest): there a "
        "word for none is a label as others");
  }
  if (task.repeated_ids != RepeatedIds::Refuse && is_vote_a_row(task)) {
    root.fail("repeated_ids: expected no such key where the rows of one id are its votes");
  }
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
  TaskInfo info = {task.name, task.votes.has_value(), !task.id.is_given() && task.files.size() > 1};
  const bool says_none = task.none_words == TaskFile().none_words;
  if (!says_none && task.kind() == LabelKind::MultiLabel) info.none_words = task.none_words;
  return info;
}

}  // namespace labelprobe::data
