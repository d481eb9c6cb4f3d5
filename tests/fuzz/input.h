// What fuzz targets make of their input: parts, and a folder with files that readers open by name.
// One process, one folder: the files of a call stay until the next one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "labelprobe/core/error.h"

namespace labelprobe::fuzz {

// Calls `read`, which may refuse what it reads with an error of the user's kinds. What else comes
// out of it is a finding: bugs of ours (InternalError), and what libraries throw.
template <class Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const ConfigError&) {
  } catch (const DataError&) {
  } catch (const ModelError&) {
  }
}

// Between the parts of an input. No JSON, YAML or CSV of ours has it.
inline constexpr char kPartEnd = '\x1E';

// The parts of an input, [n]; those behind its end are unset, the last one has all that is left.
std::vector<std::optional<std::string_view>> parts_of(std::string_view input, std::size_t n);

using NamedFile = std::pair<const char*, std::optional<std::string_view>>;

// The folder, with these files alone; a file without content is left out. Names may have one folder
// before them.
const std::filesystem::path& folder_with(std::initializer_list<NamedFile> files);

// A file of this name that holds the input, in such a folder.
std::filesystem::path file_with(const char* name, std::string_view input);

// Uses a result, so that no compiler leaves out what led to it.
inline void keep(std::size_t number) {
  asm volatile("" : : "r"(number));
}

}  // namespace labelprobe::fuzz
