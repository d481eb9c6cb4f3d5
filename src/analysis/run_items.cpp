#include "labelprobe/analysis/run_items.h"

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::analysis {

const ItemForm& item_form_of(const record::LoggedRun& run) {
  if (run.items.empty()) throw DataError(describe(run) + ": expected items, found none");
  const std::string& first = run.items.front().key;
  const ItemForm& form = run.items.front().form();
  for (const record::ItemRecord& item : run.items) {
    if (&item.form() != &form) {
      throw DataError(fmt::format("{}: expected items of one kind, found '{}' and '{}'",
                                  describe(run), first, item.key));
    }
  }
  return form;
}

}  // namespace labelprobe::analysis
