#include "labelprobe/analysis/run_items.h"

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

ItemId::Kind kind_of(const record::LoggedRun& run) {
  if (run.items.empty()) throw DataError(describe(run) + ": expected items, found none");
  const std::string& first = run.items.front().key;
  const ItemId::Kind kind = ItemId::kind_of(first);
  for (const record::ItemRecord& item : run.items) {
    if (ItemId::kind_of(item.key) != kind) {
      throw DataError(fmt::format("{}: expected items of one kind, found '{}' and '{}'",
                                  describe(run), first, item.key));
    }
  }
  return kind;
}

}  // namespace labelprobe::analysis
