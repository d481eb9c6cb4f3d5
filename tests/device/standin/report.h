// What the stand-in saw, as JSON.
#pragma once

namespace standin {

// Into the file of STANDIN_REPORT; done of itself when the process ends.
void write_report();

}  // namespace standin

// For the functions that nothing stands in for.
extern "C" [[noreturn]] void standin_missing(const char* function);
