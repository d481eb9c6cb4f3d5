// Takes one entry of a log apart: the inverse of entry_of().
#pragma once

#include <string>

#include "labelprobe/files/yaml.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::record {

// The item under `key`, a log key. Fields the entry does not have keep their defaults; test_scores
// may be of either layout. Throws DataError (file:line, field, expected, found).
ItemRecord read_entry(const std::string& key, const files::YamlView& entry);

}  // namespace labelprobe::record
