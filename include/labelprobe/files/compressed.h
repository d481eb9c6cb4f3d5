// Bytes made smaller, and bytes as text: for files that carry data inside of a text, such as pages
// for a browser.
#pragma once

#include <string>
#include <string_view>

namespace labelprobe::files {

// A gzip file's bytes (RFC 1952), without a time in it: equal bytes give equal files. Throws
// InternalError if zlib fails.
std::string gzip(std::string_view bytes);

// RFC 4648, with its padding and without line breaks.
std::string base64(std::string_view bytes);

}  // namespace labelprobe::files
