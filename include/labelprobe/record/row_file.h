// Numbers of a run's items that are too many for its log: hidden states, the attention of every
// head. They are written as the run goes on, before the item's record, and at its end put into one
// safetensors file in the order of the items. An interrupted run goes on with those that are there.
//   <name>_<experiment>.safetensors
//     <tensor>  float32 [n_rows, ...]     item  int64 [n_rows], index into the ids
//     step      int64 [n_rows]            further int64 tensors, as given
//     metadata: "ids", a JSON array of the items' keys; "format"
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/files/disk.h"

namespace labelprobe::record {

struct RowLayout {
  std::string name;                                        // "hidden_states"
  std::string tensor;                                      // "states"
  std::vector<std::int64_t> shape;                         // of a row
  std::map<std::string, std::vector<std::int64_t>> notes;  // "layer": {0, -1}
  std::string format;                                      // "labelprobe hidden states 1"
};

class RowFile {
 public:
  // Takes up what an interrupted process of the same layout has left. Throws ConfigError if the
  // folder cannot be written.
  RowFile(const std::filesystem::path& folder, int experiment, RowLayout layout);

  // Whether the item's rows are there.
  bool has(const std::string& key) const { return items_.contains(key); }

  // All rows of an item, which may be none: their steps, and their numbers one row after the other.
  // An item appended again replaces the earlier one. They survive anything that happens after the
  // call returns.
  void append(const std::string& key,
              std::span<const std::int64_t> steps,
              std::span<const float> numbers);

  // The rows of an item that another file of the same layout has.
  void append(const std::string& key, const RowFile& other);

  // Takes up what the safetensors file of a run that was over has of items that are not here, for
  // some of its items are computed again. A file that is damaged or of another layout has none.
  void take_finished();

  // Writes the safetensors file: the items of `keys`, each of which is there. Its bytes depend on
  // the items alone.
  void finish(std::span<const std::string> keys);
  // Removes what an interrupted process would go on with. Nothing can be appended afterwards.
  void forget();

  std::filesystem::path path() const;  // of the safetensors file

 private:
  struct Item {
    std::uint64_t first_byte = 0;  // of its numbers
    std::vector<std::int64_t> steps;
  };
  std::filesystem::path rows_path() const;
  std::size_t floats_per_row() const;
  std::uint64_t take_up(std::span<const std::byte> bytes);
  // An item that is not synced yet.
  void add(const std::string& key,
           std::span<const std::int64_t> steps,
           std::span<const float> numbers);
  std::string head(std::span<const std::string> keys, std::int64_t n_rows) const;

  std::filesystem::path folder_;
  int experiment_;
  RowLayout layout_;
  files::Disk disk_;
  std::map<std::string, Item> items_;
  std::optional<files::AppendFile> rows_;
};

}  // namespace labelprobe::record
