// The journal of an unfinished experiment, `journal_<i>.jsonl`: one JSON object per finished item,
// appended and made durable batch by batch, exact to the last bit of every float32. Every line has
// a checksum: {"item":{..},"xxh3":".."}, over the item's bytes as they stand there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/record/item_record.h"

namespace labelprobe::record {

// One line, "\n" included. Throws InternalError naming the item and field if a text is not UTF-8.
std::string encode_item(const ItemRecord& item);

// The inverse. Nothing for a line that is not as it was written. `place` ("file:line") opens the
// message of the DataError for a line that is, but holds no item.
std::optional<ItemRecord> decode_item(std::string_view line, const std::string& place);

struct Journal {
  std::map<std::string, ItemRecord> items;  // by key; of items appended again, the last
  std::uint64_t n_whole_bytes = 0;          // up to the end of the last complete line
  std::uint64_t n_torn_bytes = 0;           // behind it: a line its process did not live to end
  std::vector<std::size_t> damaged_lines;   // from 1: not as they were written
};

// Throws DataError (file:line) as decode_item(). No file: an empty journal.
Journal load_journal(const std::filesystem::path& file);

std::size_t count_failed(const Journal& journal);

// "damaged lines (2, 5)"
std::string describe_damage(const Journal& journal);

}  // namespace labelprobe::record
