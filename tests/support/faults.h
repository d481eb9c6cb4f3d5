// Calls to the system that fail, for tests. What defines this stands in front of the C library's
// own functions: linked into a test program, or preloaded into the built program (LD_PRELOAD),
// where the variables of the environment say what fails:
//   LABELPROBE_FAULT_ROOTS    folders whose files are meant, with ':' between them
//   LABELPROBE_FAULT          OPERATION:N:ACTION, e.g. "write:3:ENOSPC"; "write:3+:ENOSPC" from
//   then on LABELPROBE_FAULT_COMMAND  for the action "run": a line for the shell
//   LABELPROBE_FAULT_LIST     a file that gets a line for every call: "write journal_0.jsonl"
// Operations: open, write, sync, rename, remove, make, cut, lock; any of these; and tell, all that
// is done to log.txt, which nothing depends on. N counts from 0. Actions: the name of an error;
// late-<that name>, where the call is made and then said to have failed; short, for half a write;
// kill; run.
#pragma once

#include <string>

namespace labelprobe::support {

struct FaultPlan {
  std::string roots;
  std::string fault;  // empty = none
  std::string command;
  std::string list;
};

// From now on, with all counts at 0. Throws std::invalid_argument for a fault that is none.
void plan_faults(const FaultPlan& plan);

// How many calls the plan's operation has seen.
long n_calls_seen();

}  // namespace labelprobe::support
