// Where the records of items go while they are computed: a run's own experiment, or one shard of
// it.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/record/item_record.h"
#include "labelprobe/record/item_store.h"
#include "labelprobe/record/provenance.h"

namespace labelprobe::record {

class ItemLog {
 public:
  virtual ~ItemLog() = default;

  // Where files beside the log go, and the number in their names.
  virtual const std::filesystem::path& folder() const = 0;
  virtual int experiment_index() const = 0;

  // Sentences for people: what was taken up, moved, set aside or passed over, and why.
  virtual const std::vector<std::string>& notes() const = 0;

  // Items finished by an earlier, interrupted process, and those appended since.
  virtual const ItemStore& finished() const = 0;

  // Notes what computes the items that this process will append.
  virtual void add_provenance(const Provenance& provenance) = 0;

  // Puts items on disk; they survive anything that happens after the call returns. An item appended
  // again replaces the earlier one. Throws DataError for an id the log cannot hold, ConfigError if
  // the disk is full or the folder is gone, InternalError for text that is not UTF-8; nothing is
  // written then.
  virtual void append(std::span<const ItemRecord> items) = 0;

 protected:
  ItemLog() = default;
  ItemLog(const ItemLog&) = default;
  ItemLog(ItemLog&&) = default;
  ItemLog& operator=(const ItemLog&) = default;
  ItemLog& operator=(ItemLog&&) = default;
};

}  // namespace labelprobe::record
