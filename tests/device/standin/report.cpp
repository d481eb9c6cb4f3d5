#include "report.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "world.h"

namespace standin {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

void write_counts(std::ofstream& file,
                  const char* name,
                  const std::map<std::string, long>& counts) {
  file << quoted(name) << ": {";
  const char* separator = "";
  for (const auto& [what, n] : counts) {
    file << separator << "\n  " << quoted(what) << ": " << n;
    separator = ",";
  }
  file << "}";
}

void write_numbers(std::ofstream& file, const char* name, const std::vector<std::size_t>& numbers) {
  file << quoted(name) << ": [";
  for (std::size_t i = 0; i < numbers.size(); ++i) file << (i > 0 ? ", " : "") << numbers[i];
  file << "]";
}

struct AtEnd {
  ~AtEnd() { write_report(); }
} at_end;

}  // namespace

void write_report() {
  const char* path = std::getenv("STANDIN_REPORT");
  if (!path) return;
  World& world = World::get();
  const Lock lock(world.mutex);
  std::ofstream file(path);
  file << "{";
  write_counts(file, "complaints", world.complaints);
  file << ",\n";
  write_counts(file, "counts", world.counts);
  file << ",\n";
  write_counts(file, "launches", world.launches);
  file << ",\n";
  write_numbers(file, "peak_bytes", world.n_peak);
  file << ",\n";
  write_numbers(file, "bytes_at_end", world.n_used);
  file << "}\n";
}

}  // namespace standin

void standin_missing(const char* function) {
  standin::complain(std::string("nothing stands in for ") + function);
  standin::write_report();
  std::abort();
}
