// The paper's numbers below a table of one's own: --paper of `steps`, `probes` and `attention`.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "app/options/option.h"

namespace labelprobe::app {

void declare_published(OptionList& options, bool& has_paper);

// A line for each measure of the table that the paper has of the set; one that says so where it has
// none.
void write_published(std::ostream& out, std::string_view table, const std::string& set);

}  // namespace labelprobe::app
