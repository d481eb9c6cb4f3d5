#include "app/commands/error_report.h"

#include <filesystem>
#include <iostream>
#include <string>

#include "labelprobe/core/error.h"
#include "labelprobe/files/disk.h"

#include "app/commands/command.h"

namespace labelprobe::app {

namespace {

int exit_code_of(const std::exception& error) {
  if (dynamic_cast<const files::LockedError*>(&error) != nullptr) {
    return kBusy;
  }
  if (dynamic_cast<const ConfigError*>(&error) != nullptr) {
    return kConfigError;
  }
  if (dynamic_cast<const DataError*>(&error) != nullptr) {
    return kDataError;
  }
  if (dynamic_cast<const ModelError*>(&error) != nullptr) {
    return kModelError;
  }
  // From paths that only the system can judge: too long, a loop of links, not permitted.
  if (dynamic_cast<const std::filesystem::filesystem_error*>(&error) != nullptr) {
    return kConfigError;
  }
  return kInternalError;
}

std::string describe(const std::exception& error) {
  const auto* of_system = dynamic_cast<const std::filesystem::filesystem_error*>(&error);
  if (of_system == nullptr) return error.what();
  return of_system->path1().string() + ": " + of_system->code().message();
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
            << (code == kInternalError ? "internal error, please report it: " : "")
            << describe(error) << std::endl;
  return code;
}

}  // namespace labelprobe::app
