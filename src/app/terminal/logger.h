// Messages on the terminal, and in a run's log.txt.
#pragma once

#include <filesystem>
#include <memory>

#include <spdlog/logger.h>

#include "app/terminal/colour.h"

namespace labelprobe::app {

// Writes to standard error what is of this level or above.
std::shared_ptr<spdlog::logger> make_logger(spdlog::level::level_enum level, Colour colour);

// From now on every message goes to the file too; the logger's last sink is it. Throws ConfigError.
void add_log_file(spdlog::logger& logger, const std::filesystem::path& path);

}  // namespace labelprobe::app
