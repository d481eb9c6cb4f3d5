#include "data/tasks/task_votes.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/python/text.h"

#include "data/reading/votes.h"

namespace labelprobe::data {

using nlohmann::json;

std::vector<std::string> VoteCounts::describe(const std::string& place) const {
  std::vector<std::string> sentences;
  const auto add = [&](std::size_t n, std::string_view what) {
    if (n > 0) sentences.push_back(fmt::format("{}: {} votes {}", place, n, what));
  };
  add(n_empty, "have no label and are left out");
  add(n_contradictory, "have a word for no label beside another label and are left out");
  add(n_repeated, "are of an annotator who voted on the item before; the last vote counts");
  add(n_unknown, "are on items that are in no table and are left out");
  return sentences;
}

VoteReader::VoteReader(const files::Table& table,
                       const VoteForm& form,
                       LabelNames& names,
                       VoteCounts& counts)
    : table_(table), form_(form), names_(names), counts_(counts) {
  for (const auto& [annotator, column] : form.columns) columns_.emplace_back(table, column);
  if (!columns_.empty()) return;
  const std::vector<TextForm::Piece>& pieces = form.annotator.pieces();
  if (pieces.size() == 1 && pieces.front().literal.empty()) {
    annotator_column_.emplace(table, pieces.front().column);
  }
  annotator_.emplace(table, form.annotator);
  labels_.emplace(table, form.labels, names);
}

VoteReader::RowVotes VoteReader::at(std::size_t row) {
  if (!columns_.empty()) return from_columns(row);
  const json annotators = annotator_column_ ? list_in(annotator_column_->at(row)) : json();
  if (!annotators.is_null()) return from_lists(row, annotators);
  RowVotes votes;
  add(votes, annotator_->at(row), labels_->at(row), table_.places[row]);
  votes.is_left_out = votes.votes.empty();
  return votes;
}

VoteReader::RowVotes VoteReader::from_columns(std::size_t row) {
  RowVotes votes;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const json cell = columns_[i].at(row);
    const std::string place =
        fmt::format("{}: column '{}'", table_.places[row], columns_[i].name());
    const bool has_voted =
        !cell.is_null() &&
        !(cell.is_string() && python::strip(cell.get_ref<const std::string&>()).empty());
    if (has_voted) {
      add(votes, form_.columns[i].first, labels_in(cell, form_.labels, names_, place), place);
    }
  }
  return votes;
}

VoteReader::RowVotes VoteReader::from_lists(std::size_t row, const json& annotators) {
  const std::string& place = table_.places[row];
  if (labels_->column() == nullptr) {
    throw DataError(fmt::format("{}: expected labels of lists of annotators in one column ({})",
                                place, form_.labels.place));
  }
  const json labels = list_in(labels_->column()->at(row));
  if (labels.is_null() || labels.size() != annotators.size()) {
    throw DataError(fmt::format(
        "{}: column '{}': expected a list with the labels of each of the {} annotators, found {}",
        place, labels_->column()->name(), annotators.size(),
        labels.is_null() ? std::string("none") : fmt::format("{} items", labels.size())));
  }
  RowVotes votes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string of_vote =
        fmt::format("{}: column '{}', item {}", place, labels_->column()->name(), i + 1);
    add(votes, text_of(annotators[i], of_vote), labels_in(labels[i], form_.labels, names_, of_vote),
        of_vote);
  }
  return votes;
}

void VoteReader::add(RowVotes& votes,
                     std::string annotator,
                     CellLabels found,
                     const std::string& place) {
  check_annotator(annotator, place);
  if (found.is_empty) {
    ++counts_.n_empty;
  } else if (found.is_contradictory && form_.drops_contradictions) {
    ++counts_.n_contradictory;
  } else {
    votes.votes.push_back({std::move(annotator), std::move(found.labels)});
    // Kept where they are summed up; they would be most of a large set's memory.
    votes.shares.push_back(form_.takes_means ? std::move(found.shares) : LabelShareList());
  }
}

void ItemVotes::add(VoteReader::RowVotes more, VoteCounts& counts) {
  for (std::size_t i = 0; i < more.votes.size(); ++i) {
    if (!more.shares[i].empty()) shares[more.votes[i].annotator] = std::move(more.shares[i]);
    const std::size_t n_before = votes.size();
    set_vote(votes, std::move(more.votes[i]));
    counts.n_repeated += votes.size() == n_before ? 1 : 0;
  }
}

LabelShareList ItemVotes::mean_shares() const {
  LabelShareList mean = shares.at(votes.front().annotator);
  for (std::size_t vote = 1; vote < votes.size(); ++vote) {
    const LabelShareList& more = shares.at(votes[vote].annotator);
    LABELPROBE_CHECK(more.size() == mean.size());
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i].second += more[i].second;
  }
  for (auto& [label, share] : mean) share /= static_cast<double>(votes.size());
  return mean;
}

}  // namespace labelprobe::data
