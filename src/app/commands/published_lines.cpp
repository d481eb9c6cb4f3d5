#include "app/commands/published_lines.h"

#include <fmt/format.h>

#include "labelprobe/analysis/paper_numbers.h"

namespace labelprobe::app {

void declare_published(OptionList& options, bool& has_paper) {
  options.add(
      has_paper,
      {.name = "paper", .help = "The paper's numbers below the table", .shown = Shown::First});
}

void write_published(std::ostream& out, std::string_view table, const std::string& set) {
  bool has_any = false;
  for (const analysis::PaperMeasure& measure : analysis::measures_of(table)) {
    const std::string line = analysis::published_line(table, set, measure.name);
    if (line.empty()) continue;
    out << fmt::format("{} ({})\n", line, measure.title);
    has_any = true;
  }
  if (!has_any) out << fmt::format("the paper has no numbers of {}\n", set.empty() ? "it" : set);
}

}  // namespace labelprobe::app
