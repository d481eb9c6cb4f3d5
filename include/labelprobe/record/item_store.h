// The items of a run while it is computed. They stay on disk, in its journal: the memory holds of
// each where it is, and its record is read back when it is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "labelprobe/files/seekable_file.h"
#include "labelprobe/record/item_record.h"

namespace labelprobe::record {

class ItemStore {
 public:
  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  bool contains(const std::string& key) const { return places_.contains(key); }
  bool is_failed(const std::string& key) const { return places_.at(key).is_failed; }

  // The record of an item that is there. Throws DataError if its line is not as it was written.
  ItemRecord at(const std::string& key) const;

  std::set<std::string> keys() const;

  // For those who write the journal.
  //   begin, n_bytes  its line there, "\n" included
  void open(const std::filesystem::path& journal) { journal_.emplace(journal); }
  void note(const ItemRecord& item, std::uint64_t begin, std::size_t n_bytes);
  // An item that is in no journal: its line is kept in memory.
  void hold(const ItemRecord& item);
  // Forgets those that are recorded as failed. Returns how many they were.
  std::size_t erase_failed();
  void clear() { places_.clear(); }

 private:
  struct Place {
    std::uint64_t begin = 0;
    std::uint32_t n_bytes = 0;
    bool is_held = false;
    bool is_failed = false;
  };
  void put(const ItemRecord& item, Place place);

  std::optional<files::SeekableFile> journal_;
  std::string held_;
  std::unordered_map<std::string, Place> places_;
};

}  // namespace labelprobe::record
