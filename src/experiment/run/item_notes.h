// What the end of a run needs of its items: a few bytes of each, so that their records need not be
// in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "labelprobe/core/label_set.h"
#include "labelprobe/experiment/run.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::experiment {

class ItemNotes {
 public:
  // Notes of no item yet.
  ItemNotes(std::size_t n_items, const LabelSet& answer_set);

  std::size_t size() const { return notes_.size(); }
  // Once for each item.
  void take(std::size_t item, const record::ItemRecord& record);

  // Adds up what the items are.
  void tally(Outcome& outcome) const;

  // The items of each annotator, in their order.
  std::map<std::string, std::vector<std::uint32_t>> by_annotator() const;
  bool is_failed(std::size_t item) const { return notes_[item].is_failed; }
  // Whether its answer says something of what was asked.
  bool says_something(std::size_t item) const { return !notes_[item].is_unread; }
  // As labels of the answer set, sorted. Throws DataError for names that it has not.
  Labels predictions(std::size_t item) const;

 private:
  struct Note {
    std::uint32_t annotator = 0;  // in annotators_
    std::uint16_t n_predictions = 0;
    bool is_failed : 1 = false;
    bool is_answered : 1 = false;
    bool is_searched : 1 = false;
    bool is_unread : 1 = false;
    bool is_cut_off : 1 = false;
    std::uint64_t first_prediction = 0;  // in predictions_
  };

  const LabelSet& answer_set_;
  std::vector<Note> notes_;
  std::vector<LabelIndex> predictions_;
  std::vector<std::string> annotators_;
  std::map<std::string, std::uint32_t> annotator_indices_;
  std::map<std::size_t, std::string> unknown_;  // item -> a name that is no label
  std::size_t first_failed_;
  std::string first_failure_;
};

}  // namespace labelprobe::experiment
