#include "app/commands/version.h"

#include <fmt/format.h>

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
  std::string text = fmt::format("labelprobe {}\n", record::program_version());
  text += fmt::format("  compiler   {}\n", compiler());
  for (const auto& [part, found] : model::describe_platform()) {
    text += fmt::format("  {:<10} {}\n", part, found);
  }
  return text;
}

}  // namespace labelprobe::app
