// The mapped files of this process, for the message of lost_pages.h. Beyond a thousand at a time
// they are not noted.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "labelprobe/core/error_kind.h"

namespace labelprobe::files {

// It counts as a data file until note_kind() tells better.
void note_mapping(std::span<const std::byte> bytes, std::string_view path);
void note_kind(const std::byte* begin, ErrorKind kind);
void forget_mapping(const std::byte* begin);

}  // namespace labelprobe::files
