// What is refused before anything of a run is written.
#pragma once

#include "labelprobe/record/item_record.h"
#include "labelprobe/record/run.h"

namespace labelprobe::record {

// What finish() could no longer write is refused while nothing is lost yet.
void check_item(const ItemRecord& item, LogLayout layout);

}  // namespace labelprobe::record
