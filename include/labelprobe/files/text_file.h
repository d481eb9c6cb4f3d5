// Text files, and what messages show of their content.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/files/mapped_file.h"

namespace labelprobe::files {

// Opens a file that has to be there.
//   expected  what it should be, for the message of the DataError if there is none
MappedFile open_file(const std::filesystem::path& path, std::string_view expected);

// DataError naming the line if the text of the file is not UTF-8.
void check_utf8(const MappedFile& file);

// The text without a byte-order mark.
std::string_view text_of(const MappedFile& file);

// The lines of a text file without their line breaks (LF or CRLF); the last one may lack its own.
std::vector<std::string> read_lines(const MappedFile& file);

// What a file holds, for a message: cut after 40 bytes, bytes that are not text as `?`.
std::string printable(std::string_view found);

// The same, quoted.
std::string shown(std::string_view found);

// "a, b, c, ..." : at most five of `names`.
std::string some_of(std::span<const std::string> names);

}  // namespace labelprobe::files
