// Mapped files that are made shorter, as a download in place does: the system ends whoever touches
// a page that is gone. A program can say what happened before it ends.
#pragma once

namespace labelprobe::files {

// From now on the process then ends with a message that names the file, and with one of these exit
// codes. Other faults of the kind (SIGBUS) end it as before.
struct LostPagesCodes {
  int config = 1;
  int data = 1;
  int model = 1;
};
void report_lost_pages(const LostPagesCodes& codes);

}  // namespace labelprobe::files
