#include "app/terminal/logger.h"

#include <utility>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "labelprobe/core/error.h"

namespace labelprobe::app {

std::shared_ptr<spdlog::logger> make_logger(spdlog::level::level_enum level, Colour colour) {
  auto terminal = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      wants_colour(colour) ? spdlog::color_mode::always : spdlog::color_mode::never);
  terminal->set_level(level);
  terminal->set_pattern("%^%l%$: %v");
  auto logger = std::make_shared<spdlog::logger>("labelprobe", std::move(terminal));
  logger->set_level(spdlog::level::debug);
  return logger;
}

void add_log_file(spdlog::logger& logger, const std::filesystem::path& path) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    file->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    file->set_level(spdlog::level::debug);
    logger.sinks().push_back(std::move(file));
    logger.flush_on(spdlog::level::debug);
  } catch (const spdlog::spdlog_ex& error) {
    throw ConfigError(path.string() + ": cannot be written: " + error.what());
  }
}

}  // namespace labelprobe::app
