#include "app/commands/version.h"

#include <sstream>

#include <fmt/format.h>

#include "labelprobe/files/text_table.h"
#include "labelprobe/model/open.h"
#include "labelprobe/record/provenance.h"

namespace labelprobe::app {

namespace {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("Clang {}", __clang_version__);
#elif defined(__GNUC__)
  return fmt::format("GCC {}", __VERSION__);
#else
  return "unknown";
#endif
}

}  // namespace

std::string describe_version() {
  files::TextTable table;
  table.columns = {{"", files::Align::Left}, {"", files::Align::Left}};
  table.rows.push_back({"compiler", compiler()});
  for (const auto& [part, found] : model::describe_platform()) {
    table.rows.push_back({part, found});
  }
  std::ostringstream text;
  text << fmt::format("labelprobe {}\n", record::program_version());
  files::write_terminal(text, table, {.indent = "  ", .has_header = false});
  return text.str();
}

}  // namespace labelprobe::app
