// What the items of one run's log ask.
#pragma once

#include "labelprobe/core/item_id.h"
#include "labelprobe/record/logged_run.h"

namespace labelprobe::analysis {

// What all of them ask: published and own logs alike hold one form each. Throws DataError naming
// the run if there are none, or several forms.
const ItemForm& item_form_of(const record::LoggedRun& run);

}  // namespace labelprobe::analysis
