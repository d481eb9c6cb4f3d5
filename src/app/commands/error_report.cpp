#include "app/commands/error_report.h"

#include <iostream>

#include "labelprobe/core/error.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

int exit_code_of(const std::exception& error) {
  if (dynamic_cast<const ConfigError*>(&error) != nullptr) {
    return kConfigError;
  }
  if (dynamic_cast<const DataError*>(&error) != nullptr) {
    return kDataError;
  }
  if (dynamic_cast<const ModelError*>(&error) != nullptr) {
    return kModelError;
  }
  return kInternalError;
}

}  // namespace

int exit_code_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return exit_code_of(known);
  }
}

int report(const std::exception& error, std::string_view where) {
  const int code = exit_code_of(error);
  std::cerr << "labelprobe: " << where << (where.empty() ? "" : ": ")
            << (code == kInternalError ? "internal error, please report it: " : "") << error.what()
            << std::endl;
  return code;
}

}  // namespace labelprobe::app
