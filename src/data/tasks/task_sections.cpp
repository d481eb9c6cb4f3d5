#include "data/tasks/task_sections.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "data/tasks/task_keys.h"
#include "data/tasks/task_values.h"

namespace labelprobe::data {

using files::YamlView;

namespace {

double share_of(const YamlView& value) {
  const auto share = value.number();
  if (!share || !(*share >= 0.0 && *share <= 1.0)) value.fail_expected("a share between 0 and 1");
  return *share;
}

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
    {"at_least", [](const YamlView& value, LabelForm& labels) { labels.enough = share_of(value); }},
    {"above",
     [](const YamlView& value, LabelForm& labels) {
       labels.enough = share_of(value);
       labels.is_above = true;
     }},
    {"class",
     [](const YamlView& value, LabelForm& labels) {
       labels.kind = LabelForm::Kind::Class;
       labels.column = column_of(value);
     }},
};

}  // namespace

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
  const int n_limits =
      (value.find("at_least") ? 1 : 0) + (value.find("above") ? 1 : 0) + (labels.takes_one ? 1 : 0);
  if (n_limits > 1 || (n_limits == 1 && labels.columns.empty())) {
    value.fail("labels: expected one of at_least, above and largest, beside columns");
  }
  return labels;
}

namespace {

constexpr Key<VoteForm> kVoteKeys[] = {
    {"file", [](const YamlView& value,
                VoteForm& votes) { votes.files = texts_of(value, "a file or a list of files"); }},
    {"sheet",
     [](const YamlView& value, VoteForm& votes) {
       votes.sheets = texts_of(value, "the name of a sheet or a list of them");
     }},
    {"prepare",
     [](const YamlView& value, VoteForm& votes) { votes.steps = table_steps_of(value); }},
    {"item_is",
     [](const YamlView& value, VoteForm& votes) {
       static constexpr std::pair<const char*, bool> kKnown[] = {{"id", false}, {"text", true}};
       votes.names_texts = choice_of<bool>(value, "way to name an item", kKnown);
     }},
    {"aggregate",
     [](const YamlView& value, VoteForm& votes) {
       static constexpr std::pair<const char*, bool> kKnown[] = {{"votes", false},
                                                                 {"mean shares", true}};
       votes.takes_means = choice_of<bool>(value, "way to sum up votes", kKnown);
     }},
    {"item", [](const YamlView& value, VoteForm& votes) { votes.item = text_form_of(value); }},
    {"annotator",
     [](const YamlView& value, VoteForm& votes) { votes.annotator = text_form_of(value); }},
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

}  // namespace

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
  if (votes.files.empty() &&
      (votes.item.is_given() || !votes.sheets.empty() || !votes.steps.empty() ||
       votes.names_texts || votes.skips_unknown_items)) {
    value.fail(
        "votes: item, item_is, sheet, prepare and unknown_items belong to file, votes in a table "
        "of their own");
  }
  if (votes.names_texts && !votes.item.is_given()) {
    value.fail("votes: item_is text: expected item, the column with the texts");
  }
  if (votes.takes_means && votes.labels.columns.empty()) {
    value.fail("votes: aggregate mean shares goes with labels that are columns");
  }
  return votes;
}

namespace {

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

}  // namespace

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
    if (split.kind == SplitForm::Kind::Ids && name.text() == "order") {
      static constexpr std::pair<const char*, bool> kKnown[] = {{"list", false}, {"rows", true}};
      split.keeps_rows = choice_of<bool>(called, "order of items", kKnown);
      continue;
    }
    split.names.emplace_back(name_of(name, "the name of a split"),
                             texts_of(called, "what the data call the split"));
  }
  return split;
}

}  // namespace labelprobe::data
