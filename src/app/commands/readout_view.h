// What readouts say of an item, for people: labels with their probabilities, bounds and slots, the
// most probable sets, which label follows which.
#pragma once

#include <iosfwd>

#include "labelprobe/record/item_record.h"

namespace labelprobe::app {

// Nothing for an item without readouts.
void print_readouts(std::ostream& out, const record::ItemRecord& item);

}  // namespace labelprobe::app
