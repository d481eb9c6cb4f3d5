// Config files of commands.
#include "app/options/config_file.h"

#include <array>
#include <string>
#include <vector>

#include "app/options/grid.h"
#include "fuzz/input.h"
#include "fuzz_targets.h"

namespace labelprobe::fuzz {

namespace {

struct Settings {
  std::string text;
  std::int64_t number = 0;
  double share = 0.0;
  bool is_on = false;
  std::vector<std::string> texts;
};

}  // namespace

void config_file(std::string_view input) {
  Settings settings;
  app::OptionList options;
  options.begin_group("All");
  options.add(settings.text, {.name = "text", .fallback = "a"});
  options.add(settings.number, {.name = "number", .fallback = "3", .least = 0});
  options.add(settings.share, {.name = "share", .fallback = "0.5"});
  options.add(settings.is_on, {.name = "is_on"});
  options.add(settings.texts, {.name = "texts"});
  const std::array<std::string, 2> known = {"text", "shot"};
  app::GivenValues given;
  app::read_config_file(file_with("config.yaml", input), options, known, given);
  for (const app::GivenValues& setting : app::expand_values(options.options(), given)) {
    keep(setting.size());
  }
}

}  // namespace labelprobe::fuzz
