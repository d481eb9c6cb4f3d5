// A task file as it was read: what it says about tables, columns, labels, splits and votes, before
// any table is opened. Its keys stand in task_form.cpp, task_sections.cpp and
// task_options.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/core/label_set.h"
#include "labelprobe/data/task_file.h"
#include "labelprobe/files/table.h"

#include "data/cleaning/text_preprocessor.h"
#include "data/forms/known_tables.h"
#include "data/tasks/cells.h"
#include "data/tasks/table_steps.h"

namespace labelprobe::data {

// Where the labels of a row stand.
struct LabelForm {
  enum class Kind {
    List,     // a column of lists: names with a separator between them, or JSON lists
    Columns,  // a column for each label: 0, 1 or a share between
    Class,    // a column with the one label
  };
  Kind kind = Kind::List;
  ColumnName column;                                        // of List and Class
  std::string separator;                                    // of List; empty = JSON lists
  std::vector<std::pair<std::string, ColumnName>> columns;  // by label
  bool takes_one = false;  // Columns: only the label with the largest share counts
  double enough = 0.5;     // Columns: the share from which on a label counts, as with votes
  bool is_above = false;   // only shares above that count
  std::string place;

  bool has_enough(double share) const { return is_above ? share > enough : share >= enough; }

  LabelKind label_kind() const {
    return kind == Kind::Class || takes_one ? LabelKind::SingleLabel : LabelKind::MultiLabel;
  }
};

// Where the votes of annotators stand.
struct VoteForm {
  std::vector<std::string> files;   // empty = in the tables of the items
  std::vector<std::string> sheets;  // of such files, where they are workbooks; none = the only one
  std::vector<TableStep> steps;     // done to such files
  TextForm item;                    // of such files; not given = as the items' own id
  bool names_texts = false;         // such an item is the text of items, not their id
  TextForm annotator;               // rows of one vote each, or lists in the rows of the items
  std::vector<std::pair<std::string, ColumnName>> columns;  // in its place: one per annotator
  LabelForm labels;
  bool skips_unknown_items = false;
  bool drops_contradictions = false;  // labels beside a word for none
  bool takes_means = false;           // an item has the labels of its mean shares
  std::string place;
};

// How rows are shared out to splits where the files do not say it.
struct SplitForm {
  enum class Kind { None, Column, Shares, Ids, Texts };
  Kind kind = Kind::None;
  ColumnName column;  // of Column
  std::string file;   // of Ids: split -> list of ids; of Texts: split -> text -> id
  // Column, Ids and Texts: what the file calls the split; none = by its own name.
  std::vector<std::pair<std::string, std::vector<std::string>>> names;
  bool keeps_rows = false;  // Ids: items come as the rows do, not as the list has them
  std::vector<std::pair<std::string, double>> shares;
  std::int64_t seed = 0;
  std::string place;
};

// A file with the names of the labels, in the folder of the tables.
struct LabelFile {
  std::string file;
  std::string separator = "\n";
  std::string place;
};

enum class RepeatedIds {
  Refuse,
  First,  // the first row counts
  Last,   // the last row counts, at the place of the first
};

struct TaskFile {
  std::filesystem::path path;
  std::string name;
  // Patterns of table files by split, in the order of the file; one split "" where all have one.
  std::vector<std::pair<std::string, std::vector<std::string>>> files;
  std::string files_place;
  std::optional<files::TableFormat> format;
  TableForm form = TableForm::Plain;  // what the tables are brought into form from
  char delimiter = '\0';
  std::string sheet;                     // of workbooks; empty = the only one
  std::vector<std::string> header;       // names of the columns of tables that have no header
  std::optional<std::string> bad_bytes;  // what stands for bytes that are no UTF-8; unset = refused
  std::vector<TableStep> steps;          // done to the tables of the items
  SplitForm split;
  TextForm id;  // not given = the row's number
  RepeatedIds repeated_ids = RepeatedIds::Refuse;
  TextForm text;
  std::optional<LabelForm> labels;  // unset = what the votes say together
  std::optional<VoteForm> votes;
  std::vector<std::string> label_names;  // empty = as the data have them
  std::optional<LabelFile> label_file;   // in their place
  bool skips_unknown_labels = false;
  // By label: what the data call it. Empty = by its own name.
  std::vector<std::pair<std::string, std::vector<std::string>>> label_map;
  std::vector<std::pair<std::string, std::string>> shown_as;
  std::vector<std::string> none_words = {"none"};
  TextDomain domain = TextDomain::Other;
  std::vector<TaskOption> options;
  std::vector<std::string> notes;  // sentences for people

  LabelKind kind() const { return labels ? labels->label_kind() : votes->labels.label_kind(); }
  // Names of splits that data::load() takes; empty where only the data know them.
  std::vector<std::string> splits() const;
};

// What a task file says, or data that need none (task_draft.h).
// Throws ConfigError (file, line, expected, found, the nearest key).
TaskFile read_task_file(const std::filesystem::path& path);

TaskInfo describe(const TaskFile& task);

}  // namespace labelprobe::data
