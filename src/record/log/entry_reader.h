// Takes one entry of a log apart: the inverse of entry_of().
#pragma once

#include <string>
#include <string_view>

#include <yaml-cpp/yaml.h>

#include "labelprobe/record/item_record.h"

namespace labelprobe::record {

// Where an entry stands, for messages.
struct EntryPlace {
  std::string file;
  std::size_t first_line = 0;  // of the text that was parsed, from 0
};

// The item under `key`, a log key. Fields the entry does not have keep their defaults; test_scores
// may be of either layout. Throws DataError (file:line, field, expected, found).
ItemRecord read_entry(const EntryPlace& place, const std::string& key, const YAML::Node& entry);

}  // namespace labelprobe::record
