// The journal of an unfinished experiment, `journal_<i>.jsonl`: one JSON object per finished item,
// appended and made durable batch by batch, exact to the last bit of every float32. Every line has
// a checksum: {"item":{..},"xxh3":".."}, over the item's bytes as they stand there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/files/disk.h"
#include "labelprobe/record/item_record.h"
#include "labelprobe/record/item_store.h"

namespace labelprobe::record {

// One line, "\n" included. Throws InternalError naming the item and field if a text is not UTF-8.
std::string encode_item(const ItemRecord& item);

// The inverse. Nothing for a line that is not as it was written. `place` ("file:line") opens the
// message of the DataError for a line that is, but holds no item.
std::optional<ItemRecord> decode_item(std::string_view line, const std::string& place);

// The lines of several items, for the end of a journal. Throws as encode_item().
class JournalLines {
 public:
  // The items must outlive it.
  explicit JournalLines(std::span<const ItemRecord> items);
  // Durable when it returns; then `store` knows where the items are.
  void append_to(files::AppendFile& journal, ItemStore& store) const;

 private:
  std::span<const ItemRecord> items_;
  std::vector<std::size_t> sizes_;
  std::string text_;
};

// Where lines end, and which of them are not as they were written.
struct JournalState {
  std::uint64_t n_whole_bytes = 0;         // up to the end of the last complete line
  std::uint64_t n_torn_bytes = 0;          // behind it: a line its process did not live to end
  std::vector<std::size_t> damaged_lines;  // from 1
};

// Hands out the items of a journal in the order of its lines, each with its line ("\n" included)
// and the byte that it begins at. An item that was appended again comes again. Throws DataError
// (file:line) as decode_item(). No file: nothing.
using TakeItem = std::function<void(ItemRecord item, std::string_view line, std::uint64_t begin)>;
JournalState scan_journal(const std::filesystem::path& file, const TakeItem& take);

// The items of a journal as it is, each read when it is asked for. Throws as scan_journal().
ItemStore read_journal(const std::filesystem::path& file);

// What there is of a journal that is gone on with: whole lines of finished items, the damaged ones
// taken out, a torn one cut off; where each item is goes into `items`. `on_repair` gets a sentence
// about what was wrong.
JournalState take_up_journal(files::Disk& disk,
                             const std::filesystem::path& file,
                             ItemStore& items,
                             const std::function<void(std::string)>& on_repair);

struct Journal : JournalState {
  std::map<std::string, ItemRecord> items;  // by key; of items appended again, the last
};

// All of a journal at once. Throws as scan_journal().
Journal load_journal(const std::filesystem::path& file);

std::size_t count_failed(const Journal& journal);

// "damaged lines (2, 5)"
std::string describe_damage(const JournalState& journal);

}  // namespace labelprobe::record
