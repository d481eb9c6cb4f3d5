#include "labelprobe/record/item_store.h"

#include <string_view>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

#include "record/folder/journal.h"

namespace labelprobe::record {

ItemRecord ItemStore::at(const std::string& key) const {
  const auto found = places_.find(key);
  LABELPROBE_CHECK(found != places_.end());
  const Place& place = found->second;
  LABELPROBE_CHECK(place.is_held || journal_);
  std::string line = place.is_held ? held_.substr(place.begin, place.n_bytes)
                                   : journal_->read(place.begin, place.n_bytes);
  const std::string where =
      place.is_held ? "memory" : fmt::format("{}, byte {}", journal_->path().string(), place.begin);
  if (line.ends_with('\n')) {
    line.pop_back();
    std::optional<ItemRecord> item = decode_item(line, where);
    if (item && item->key == key) return std::move(*item);
  }
  throw DataError(
      fmt::format("{}: expected the line of item '{}', found other bytes: the file was changed "
                  "while this run wrote it; give the same command again, which computes what is "
                  "missing",
                  where, key));
}

std::set<std::string> ItemStore::keys() const {
  std::set<std::string> keys;
  for (const auto& [key, place] : places_) keys.insert(key);
  return keys;
}

void ItemStore::note(const ItemRecord& item, std::uint64_t begin, std::size_t n_bytes) {
  put(item, {.begin = begin, .n_bytes = static_cast<std::uint32_t>(n_bytes)});
}

void ItemStore::hold(const ItemRecord& item) {
  const std::string line = encode_item(item);
  put(item,
      {.begin = held_.size(), .n_bytes = static_cast<std::uint32_t>(line.size()), .is_held = true});
  held_ += line;
}

std::size_t ItemStore::erase_failed() {
  return std::erase_if(places_, [](const auto& place) { return place.second.is_failed; });
}

void ItemStore::put(const ItemRecord& item, Place place) {
  place.is_failed = item.failure.has_value();
  places_.insert_or_assign(item.key, place);
}

}  // namespace labelprobe::record
