// The votes of annotators in the rows of a table: one vote a row, a column for each annotator, or
// lists of annotators and of their labels.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/reading/records.h"
#include "data/tasks/label_cells.h"
#include "data/tasks/task_form.h"

namespace labelprobe::data {

// What was not taken as it is, for people to know.
struct VoteCounts {
  std::size_t n_empty = 0;          // of one label, without it: no vote
  std::size_t n_contradictory = 0;  // left out as the task file asks
  std::size_t n_repeated = 0;       // of an annotator who voted on the item before: the last counts
  std::size_t n_unknown = 0;        // on items that are in no table

  std::vector<std::string> describe(const std::string& place) const;
};

// Reads the rows of one table, which must outlive it as names and counts must.
class VoteReader {
 public:
  VoteReader(const files::Table& table,
             const VoteForm& form,
             LabelNames& names,
             VoteCounts& counts);

  struct RowVotes {
    std::vector<Vote> votes;
    std::vector<LabelShareList> shares;  // [votes.size()]; empty unless means are taken
    bool is_left_out = false;            // the row is one vote, which does not count
  };
  // Throws DataError (row, column, expected, found).
  RowVotes at(std::size_t row);

 private:
  RowVotes from_columns(std::size_t row);
  RowVotes from_lists(std::size_t row, const nlohmann::json& annotators);
  void add(RowVotes& votes, std::string annotator, CellLabels found, const std::string& place);

  const files::Table& table_;
  const VoteForm& form_;
  LabelNames& names_;
  VoteCounts& counts_;
  std::vector<Column> columns_;             // [form.columns.size()]
  std::optional<Column> annotator_column_;  // where the annotator is a column, not a template
  std::optional<TextColumn> annotator_;
  std::optional<LabelReader> labels_;
};

// The votes on an item, and the shares behind them by annotator.
struct ItemVotes {
  std::vector<Vote> votes;
  std::unordered_map<std::string, LabelShareList> shares;

  void add(VoteReader::RowVotes more, VoteCounts& counts);

  // The mean of the annotators' shares, of which there is one at least.
  LabelShareList mean_shares() const;
};

}  // namespace labelprobe::data
