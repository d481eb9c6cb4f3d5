// Which error of error.h a finding ends in, for code that serves several rooms: the same broken
// file is a data file of one and a checkpoint's of another.
#pragma once

#include <string>

namespace labelprobe {

enum class ErrorKind { Config, Data, Model };

// Throws ConfigError, DataError or ModelError.
[[noreturn]] void fail(ErrorKind kind, const std::string& message);

}  // namespace labelprobe
