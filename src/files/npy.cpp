#include "labelprobe/files/npy.h"

#include <cstring>
#include <regex>
#include <string>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

namespace labelprobe::files {

namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";

template <class Number>
Number number_at(std::string_view text, std::size_t at) {
  Number number;
  std::memcpy(&number, text.data() + at, sizeof number);
  return number;
}

[[noreturn]] void fail(const MappedFile& file,
                       const std::string& expected,
                       const std::string& found) {
  throw DataError(fmt::format("{}: expected {}, found {}", file.path().string(), expected, found));
}

}  // namespace

bool is_npy(std::string_view content) {
  return content.starts_with(kNpyMagic);
}

NpyMatrix read_npy(const MappedFile& file) {
  const std::string_view content = file.text();
  // Magic, version, and the header's length in two bytes (version 1) or four.
  const std::size_t n_prefix = content.size() > 6 && content[6] == 1 ? 10 : 12;
  if (!is_npy(content) || content.size() < n_prefix) {
    fail(file, "a .npy file", fmt::format("{} bytes", content.size()));
  }
  const std::size_t n_header =
      n_prefix == 10 ? number_at<std::uint16_t>(content, 8) : number_at<std::uint32_t>(content, 8);
  if (n_header > limits::kNpyHeaderBytes || n_header > content.size() - n_prefix) {
    fail(file,
         fmt::format("the header of a plain .npy array within the file, of at most {} bytes",
                     limits::kNpyHeaderBytes),
         fmt::format("one of {} bytes", n_header));
  }
  const std::string header(content.substr(n_prefix, n_header));
  static const std::regex form(
      R"(\{ *'descr': *'<f([48])', *'fortran_order': *False, *'shape': *\((\d{1,15}), *(\d{1,9}),?\),? *\}\s*)");
  std::smatch match;
  if (!std::regex_match(header, match, form)) {
    fail(file, "a two-dimensional array of little-endian float32 or float64 in C order",
         "the header " + header.substr(0, header.find_last_not_of(" \n") + 1));
  }
  return {match[1] == "4" ? 4 : 8, std::stoull(match[2]), std::stoull(match[3]),
          file.bytes().subspan(n_prefix + n_header)};
}

}  // namespace labelprobe::files
