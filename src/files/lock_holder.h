// What a lock's file says of the process that holds it: "12 on ada, since 2026-11-29 21:26:00
// +0000".
#pragma once

#include <string>

namespace labelprobe::files {

std::string this_machine();

// This process, now.
std::string describe_this_process();

// What the last holder has written into the open lock file; empty if it said that it was through.
std::string read_holder(int fd);

bool is_of_other_machine(const std::string& holder);

// A sentence's part about a holder that this machine cannot look at, and what to do.
std::string describe_left_elsewhere(const std::string& holder);

}  // namespace labelprobe::files
