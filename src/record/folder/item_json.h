// An item as JSON, exact to the last bit of every float32: what a line of a journal holds. Fields
// that hold nothing are left out.
#pragma once

#include "labelprobe/files/yaml_writer.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::record {

files::JsonF32 to_json(const ItemRecord& item);

// The inverse. Throws DataError (field, expected) or a JSON exception for anything else.
ItemRecord from_json(const files::JsonF32& node);

}  // namespace labelprobe::record
