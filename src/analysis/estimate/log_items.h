// The items of one log as the estimators take them: ids taken apart and checked, label numbers
// looked up with their mistakes told by item.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/item_id.h"
#include "labelprobe/core/label_set.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::analysis {

struct LogItem {
  ItemId id;
  const record::ItemRecord* record;  // of the caller's items
  std::vector<LabelIndex> labels;    // id.parts; none = label_set.size()

  bool has_failed() const { return record->failure.has_value(); }
};

// In the order given. Throws DataError for an item of another form, of a single annotator, with
// labels outside the set, or that comes twice.
std::vector<LogItem> parse_items(std::span<const record::ItemRecord> items,
                                 const ItemForm& form,
                                 const LabelSet& label_set);

// The readout of that name, or nullptr.
const record::ReadoutValues* find_readout(const LogItem& item,
                                          std::string_view name,
                                          record::ReadoutPlace place);

// The number of `name` in `values`, or nullptr.
const float* find_value(const record::LabelValues& values, std::string_view name);

// The probability of `name`. Throws DataError if it is missing or none.
double prob_of(const LogItem& item, const record::LabelValues& values, std::string_view name);

// The logit of `name`. Throws DataError if it is missing or not finite.
double logit_of(const LogItem& item, const record::LabelValues& values, std::string_view name);

// "a, b, c" or, of many, "a, b, c, d, e and 7 more".
std::string list_some(const std::vector<std::string>& names);

}  // namespace labelprobe::analysis
