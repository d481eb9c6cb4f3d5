// From exceptions to what the shell and its user see.
#pragma once

#include <exception>
#include <string_view>

namespace labelprobe::app {

// The exit code of the kind of error (see command.h).
int exit_code_of(const std::exception_ptr& error);

// Writes "labelprobe: <where>: <what>" to standard error and returns the exit code of the kind of
// error (see command.h). `where` may be empty.
int report(const std::exception& error, std::string_view where = "");

}  // namespace labelprobe::app
