// Compressed files as they were.
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/compressed.h"
#include "labelprobe/files/text_file.h"

namespace labelprobe::files {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18U;

// Takes what comes out of a decoder, up to the limit.
class Output {
 public:
  Output(const std::string& name, std::size_t n_most) : name_(name), n_most_(n_most) {}

  std::byte* block() { return block_.data(); }
  std::size_t block_size() const { return block_.size(); }

  void take(std::size_t n) {
    if (n > n_most_ - bytes_.size()) {
      throw DataError(
          fmt::format("{}: expected at most {} bytes once it is unpacked, found more: no table is "
                      "as large; unpack it yourself and split it if it is whole",
                      name_, n_most_));
    }
    bytes_.insert(bytes_.end(), block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(n));
  }

  std::vector<std::byte> finish() { return std::move(bytes_); }

 private:
  const std::string& name_;
  std::size_t n_most_;
  std::vector<std::byte> block_ = std::vector<std::byte>(kBlockBytes);
  std::vector<std::byte> bytes_;
};

[[noreturn]] void fail_broken(const std::string& name,
                              std::string_view kind,
                              std::string_view problem) {
  throw DataError(
      fmt::format("{}: expected a file of {}, as its name says, found a broken one ({}); fetch it "
                  "again, or rename it if it is not compressed",
                  name, kind, problem));
}

constexpr std::string_view kCutOff = "it ends early";

std::vector<std::byte> unpack_gzip(std::string_view bytes,
                                   Output& output,
                                   const std::string& name) {
  constexpr int kGzip = 16;  // added to the window's bits: a gzip header instead of zlib's
  z_stream stream{};
  LABELPROBE_CHECK(inflateInit2(&stream, MAX_WBITS + kGzip) == Z_OK);
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&stream, &inflateEnd);
  // zlib takes at most 4 GiB at a time; it never changes what it reads.
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  bool is_open = true;  // a member has begun and not ended
  while (is_open || stream.avail_in > 0 || !bytes.empty()) {
    if (stream.avail_in == 0) {
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream.avail_in = static_cast<uInt>(std::min(bytes.size(), kMost));
      bytes.remove_prefix(stream.avail_in);
    }
    if (!is_open) {
      if (*stream.next_in == 0) {  // padding behind the last member, as on tapes
        ++stream.next_in;
        --stream.avail_in;
        continue;
      }
      LABELPROBE_CHECK(inflateReset(&stream) == Z_OK);
      is_open = true;
    }
    stream.next_out = reinterpret_cast<Bytef*>(output.block());
    stream.avail_out = static_cast<uInt>(output.block_size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_BUF_ERROR) fail_broken(name, "gzip", kCutOff);
    if (status != Z_OK && status != Z_STREAM_END) {
      fail_broken(name, "gzip", stream.msg == nullptr ? "no data of its kind" : stream.msg);
    }
    output.take(output.block_size() - stream.avail_out);
    is_open = status != Z_STREAM_END;
  }
  return output.finish();
}

std::vector<std::byte> unpack_zstd(std::string_view bytes,
                                   Output& output,
                                   const std::string& name) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> decoder(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  LABELPROBE_CHECK(decoder != nullptr);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t n_missing = 1;  // 0 between frames
  std::size_t n_last = 0;     // of the last block
  while (in.pos < in.size || n_last == output.block_size()) {
    ZSTD_outBuffer out{output.block(), output.block_size(), 0};
    n_missing = ZSTD_decompressStream(decoder.get(), &out, &in);
    if (ZSTD_isError(n_missing) != 0U) fail_broken(name, "zstd", ZSTD_getErrorName(n_missing));
    output.take(out.pos);
    n_last = out.pos;
    if (n_missing == 0 && in.pos == in.size) break;
  }
  if (n_missing != 0) fail_broken(name, "zstd", kCutOff);
  return output.finish();
}

}  // namespace

Compression compression_of(const std::filesystem::path& path) {
  const std::string ending = ascii_lower(path.extension().string());
  return ending == ".gz"    ? Compression::Gzip
         : ending == ".zst" ? Compression::Zstd
                            : Compression::None;
}

std::filesystem::path without_compression(const std::filesystem::path& path) {
  std::filesystem::path plain = path;
  return compression_of(path) == Compression::None ? plain : plain.replace_extension();
}

std::vector<std::byte> unpacked(std::string_view bytes,
                                Compression compression,
                                const std::string& name,
                                std::size_t n_most) {
  Output output(name, n_most);
  switch (compression) {
    case Compression::Gzip:
      return unpack_gzip(bytes, output, name);
    case Compression::Zstd:
      return unpack_zstd(bytes, output, name);
    case Compression::None:
      break;
  }
  const auto* const first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

UnpackedFile::UnpackedFile(const std::filesystem::path& path, std::string_view expected)
    : file_(open_file(path, expected)) {
  if (const Compression compression = compression_of(path); compression != Compression::None) {
    unpacked_ = unpacked(file_.text(), compression, path.string());
  }
}

std::string_view UnpackedFile::text() const {
  if (!unpacked_) return file_.text();
  return {reinterpret_cast<const char*>(unpacked_->data()), unpacked_->size()};
}

}  // namespace labelprobe::files
