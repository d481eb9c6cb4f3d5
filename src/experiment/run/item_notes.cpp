#include "experiment/run/item_notes.h"

#include <algorithm>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

ItemNotes::ItemNotes(std::size_t n_items, const LabelSet& answer_set)
    : answer_set_(answer_set), notes_(n_items), first_failed_(n_items) {}

void ItemNotes::take(std::size_t item, const record::ItemRecord& record) {
  Note& note = notes_.at(item);
  note.is_failed = record.failure.has_value();
  note.is_answered = record.is_answered();
  note.is_searched = record.answer_source == record::AnswerSource::Searched;
  note.is_unread = record.answer_source == record::AnswerSource::Nothing;
  note.is_cut_off = record.is_cut_off;
  const auto [known, is_new] =
      annotator_indices_.emplace(record.annotator, static_cast<std::uint32_t>(annotators_.size()));
  if (is_new) annotators_.push_back(record.annotator);
  note.annotator = known->second;
  if (note.is_failed && item < first_failed_) {
    first_failed_ = item;
    first_failure_ = *record.failure;
  }
  note.first_prediction = predictions_.size();
  for (const std::string& name : record.predictions) {
    if (const auto label = answer_set_.index_of(name)) {
      predictions_.push_back(*label);
      ++note.n_predictions;
    } else {
      unknown_.emplace(item, name);
    }
  }
}

void ItemNotes::tally(Outcome& outcome) const {
  for (const Note& note : notes_) {
    outcome.n_failed += note.is_failed ? 1 : 0;
    outcome.n_without_label += !note.is_failed && !note.is_answered ? 1 : 0;
    outcome.n_searched += note.is_searched ? 1 : 0;
    outcome.n_unread += note.is_unread ? 1 : 0;
    outcome.n_cut_off += note.is_cut_off ? 1 : 0;
  }
  outcome.first_failure = first_failure_;
}

std::map<std::string, std::vector<std::uint32_t>> ItemNotes::by_annotator() const {
  std::map<std::string, std::vector<std::uint32_t>> items;
  for (std::size_t i = 0; i < notes_.size(); ++i) {
    items[annotators_[notes_[i].annotator]].push_back(static_cast<std::uint32_t>(i));
  }
  return items;
}

Labels ItemNotes::predictions(std::size_t item) const {
  if (const auto unknown = unknown_.find(item); unknown != unknown_.end()) {
    const std::string& name = unknown->second;
    throw DataError("a journalled item names '" + name +
                    "': " + unknown_choice("label", name, answer_set_.names()));
  }
  const Note& note = notes_.at(item);
  const auto first = predictions_.begin() + static_cast<std::ptrdiff_t>(note.first_prediction);
  Labels labels(first, first + note.n_predictions);
  std::sort(labels.begin(), labels.end());
  return labels;
}

}  // namespace labelprobe::experiment
