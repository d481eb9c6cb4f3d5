// From cells to labels: what the data call them, what the label set calls them, and how a row's
// cells say which there are.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "labelprobe/core/label_set.h"

#include "data/tasks/task_form.h"

namespace labelprobe::data {

// The labels of a task and the names that the data have for them. Names are compared without
// regard to case and to blanks around them.
class LabelNames {
 public:
  // Throws ConfigError where the task file's lists of labels contradict each other.
  explicit LabelNames(const TaskFile& task);

  // Whether the task file leaves it to the data which labels there are, and in which order: every
  // name that find() meets is one then.
  bool are_as_met() const { return are_as_met_; }

  // The labels that the data call `name`; none for a word that means no label. Throws DataError,
  // opening with `place`, with the nearest label.
  std::vector<LabelIndex> find(const std::string& name, const std::string& place);

  bool is_none(const std::string& name) const;

  // Names that unknown_labels left out so far, each as often as it was met.
  const std::vector<std::string>& left_out() const { return left_out_; }

  // Throws DataError if there are none or two are called alike.
  LabelSet label_set() const;

 private:
  void add(const std::string& label);

  const TaskFile& task_;
  bool are_as_met_ = false;
  std::vector<std::string> labels_;
  std::vector<std::string> left_out_;
  std::unordered_map<std::string, std::vector<LabelIndex>> meant_by_;  // by folded name
};

using LabelShareList = std::vector<std::pair<LabelIndex, double>>;

// What some cells say.
struct CellLabels {
  Labels labels;
  bool is_empty = false;          // of one label: there is none
  bool is_contradictory = false;  // a word for no label beside another
  LabelShareList shares = {};     // Columns only: in the order of the columns
};

// The labels that the shares give as the form says. Of one label: none if all shares are 0.
Labels labels_of_shares(const LabelShareList& shares, const LabelForm& form);

// Reads the labels of the rows of one table, which must outlive it as the names must.
class LabelReader {
 public:
  LabelReader(const files::Table& table, const LabelForm& form, LabelNames& names);

  CellLabels at(std::size_t row) const;

  // The one column that holds the labels; null for columns of shares.
  const Column* column() const { return column_ ? &*column_ : nullptr; }

 private:
  CellLabels from_shares(std::size_t row) const;

  const files::Table& table_;
  const LabelForm& form_;
  LabelNames& names_;
  std::optional<Column> column_;
  std::vector<Column> share_columns_;  // [form.columns.size()]
};

// The labels of one cell of a form that is no Columns. Throws DataError, opening with `place`.
CellLabels labels_in(const nlohmann::json& cell,
                     const LabelForm& form,
                     LabelNames& names,
                     const std::string& place);

}  // namespace labelprobe::data
