#include "labelprobe/files/compressed.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <zlib.h>

#include "labelprobe/core/error.h"

namespace labelprobe::files {

std::string gzip(std::string_view bytes) {
  constexpr int kGzip = 16;  // added to the window's bits: a gzip header instead of zlib's
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  LABELPROBE_CHECK(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip,
                                kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string compressed;
  std::string block(std::size_t{1} << 16, '\0');
  // zlib takes at most 4 GiB at a time; it never changes what it reads.
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (stream.avail_in == 0 && !bytes.empty()) {
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream.avail_in = static_cast<uInt>(std::min(bytes.size(), kMost));
      bytes.remove_prefix(stream.avail_in);
    }
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    status = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    LABELPROBE_CHECK(status == Z_OK || status == Z_STREAM_END);
    compressed.append(block, 0, block.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return compressed;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = i; k < i + 3; ++k) {
      group = group << 8U | (k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0U);
    }
    for (int k = 3; k >= 0; --k) text += kDigits[group >> static_cast<unsigned>(6 * k) & 63U];
  }
  const std::size_t n_padding = (3 - bytes.size() % 3) % 3;
  text.replace(text.size() - n_padding, n_padding, n_padding, '=');
  return text;
}

}  // namespace labelprobe::files
