// The items of one run's log, under the name that messages call it by.
#pragma once

#include <span>
#include <string>

#include "labelprobe/core/item_id.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::analysis {

struct RunItems {
  std::string name;  // for messages
  std::span<const record::ItemRecord> items;
};

// What all of them ask: published and own logs alike hold one kind each. Throws DataError naming
// the run if there are none, or several kinds.
ItemId::Kind kind_of(const RunItems& run);

}  // namespace labelprobe::analysis
