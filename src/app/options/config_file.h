// Config files: YAML or JSON mappings of option names to values. One file serves several commands,
// each of which takes the options that it knows.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "app/options/option.h"

namespace labelprobe::app {

// Adds what the file gives for options that have nothing yet. `known` holds the names that any
// command takes. Throws ConfigError: file:line, expected, found, nearest name.
void read_config_file(const std::filesystem::path& path,
                      const OptionList& options,
                      std::span<const std::string> known,
                      GivenValues& given);

}  // namespace labelprobe::app
