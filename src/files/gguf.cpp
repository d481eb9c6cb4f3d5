#include "labelprobe/files/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <limits>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

#include "files/gguf_reader.h"
#include "files/map_file.h"

namespace labelprobe::files {

static_assert(std::endian::native == std::endian::little, "GGUF values are read in place");

namespace {

constexpr std::uint64_t kDefaultAlignment = 32;
// The least a metadata pair (empty key, one-byte value) and a tensor entry (empty name, one
// dimension) take: bounds the counts of a hostile header.
constexpr std::uint64_t kMinPairBytes = 8 + 4 + 1;
constexpr std::uint64_t kMinTensorBytes = 8 + 4 + 8 + 4 + 8;

// A directory entry; where the bytes lie is known only when the whole directory has been read.
struct TensorEntry {
  std::size_t start;  // of the entry itself, for messages
  std::uint64_t n_bytes;
  std::uint64_t offset;  // from the start of the tensor data
};

// Fails unless the tensor's elements can be counted, and, for types we know, its bytes.
std::uint64_t count_bytes(const GgufReader& reader,
                          std::size_t start,
                          const GgufTensor& tensor,
                          std::uint64_t n_row) {
  std::uint64_t n_elements = 1;
  for (const std::int64_t n : tensor.shape) {
    if (__builtin_mul_overflow(n_elements, static_cast<std::uint64_t>(n), &n_elements)) {
      reader.fail(start, fmt::format("tensor {} has more elements than can be counted",
                                     gguf_name_in_quotes(tensor.name)));
    }
  }
  const auto block = block_layout(static_cast<GgmlType>(tensor.type));
  if (!block) {
    return 0;
  }
  const auto n_per_block = static_cast<std::uint64_t>(block->n_elements);
  if (n_row % n_per_block != 0) {
    reader.fail(
        start,
        fmt::format(
            "tensor {} of type {}: expected a first dimension that is a multiple of {}, found {}",
            gguf_name_in_quotes(tensor.name), ggml_type_name(tensor.type), n_per_block, n_row));
  }
  std::uint64_t n_bytes = 0;
  if (__builtin_mul_overflow(n_elements / n_per_block, static_cast<std::uint64_t>(block->n_bytes),
                             &n_bytes)) {
    reader.fail(start, fmt::format("tensor {} has more bytes than can be counted",
                                   gguf_name_in_quotes(tensor.name)));
  }
  return n_bytes;
}

TensorEntry read_entry(GgufReader& reader, GgufTensor& tensor) {
  TensorEntry entry{reader.position(), 0, 0};
  tensor.name = reader.read_string("a tensor name");
  const std::size_t dims_start = reader.position();
  const auto n_dims = reader.read<std::uint32_t>("a number of dimensions");
  if (n_dims < 1 || n_dims > limits::kGgufDimensions) {
    reader.fail(dims_start,
                fmt::format("tensor {}: expected 1 to {} dimensions, found {}",
                            gguf_name_in_quotes(tensor.name), limits::kGgufDimensions, n_dims));
  }
  tensor.shape.resize(n_dims);
  for (std::uint32_t i = 0; i < n_dims; ++i) {
    const auto n = reader.read<std::uint64_t>("a tensor dimension");
    if (n < 1 || n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      reader.fail(reader.position() - 8,
                  fmt::format("tensor {}: expected a positive dimension, found {}",
                              gguf_name_in_quotes(tensor.name), n));
    }
    tensor.shape[n_dims - 1 - i] = static_cast<std::int64_t>(n);
  }
  tensor.type = reader.read<std::uint32_t>("a tensor type");
  entry.offset = reader.read<std::uint64_t>("a tensor offset");
  entry.n_bytes =
      count_bytes(reader, entry.start, tensor, static_cast<std::uint64_t>(tensor.shape.back()));
  return entry;
}

void check_version(GgufReader& reader) {
  if (reader.n_left() < 4 || reader.read<std::uint32_t>("the magic") != 0x46554747u) {
    reader.fail(0, "expected the letters GGUF, found something else: no GGUF file");
  }
  const auto version = reader.read<std::uint32_t>("a version");
  if (version == 0x02000000u || version == 0x03000000u) {
    reader.fail(4, "expected a little-endian file, found a big-endian one");
  }
  if (version != 2 && version != 3) {
    reader.fail(4, fmt::format("expected GGUF version 2 or 3, found {}", version));
  }
}

std::uint64_t alignment_of(const GgufFile& gguf) {
  constexpr std::string_view kKey = "general.alignment";
  const std::int64_t alignment =
      gguf.integer_or(kKey, static_cast<std::int64_t>(kDefaultAlignment));
  if (alignment < 1 || alignment > static_cast<std::int64_t>(limits::kGgufAlignment) ||
      !std::has_single_bit(static_cast<std::uint64_t>(alignment))) {
    throw ModelError(
        fmt::format("{}: metadata key '{}': expected a power of two up to {}, found {}",
                    gguf.path().string(), kKey, limits::kGgufAlignment, alignment));
  }
  return static_cast<std::uint64_t>(alignment);
}

std::span<const std::byte> find_bytes(const GgufReader& reader,
                                      const std::string& name,
                                      const TensorEntry& entry,
                                      std::span<const std::byte> tensor_data,
                                      std::uint64_t alignment) {
  if (entry.offset % alignment != 0) {
    reader.fail(entry.start, fmt::format("tensor {}: expected an offset aligned to {}, found {}",
                                         gguf_name_in_quotes(name), alignment, entry.offset));
  }
  if (entry.offset > tensor_data.size() || entry.n_bytes > tensor_data.size() - entry.offset) {
    reader.fail(
        entry.start,
        fmt::format("tensor {}: expected {} bytes at {} of the tensor data, which has {} "
                    "bytes; the file may be truncated",
                    gguf_name_in_quotes(name), entry.n_bytes, entry.offset, tensor_data.size()));
  }
  return tensor_data.subspan(entry.offset, entry.n_bytes);
}

}  // namespace

bool is_gguf(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return false;  // what is read of a pipe is gone
  }
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> begin{};
  return file.read(begin.data(), begin.size()) &&
         std::string_view(begin.data(), begin.size()) == "GGUF";
}

GgufFile GgufFile::open(const std::filesystem::path& path) {
  GgufFile gguf(map_file(path, ErrorKind::Model, MappedFile::SmallFiles::Map));
  GgufReader reader(gguf.file_);
  check_version(reader);
  const auto n_tensors = reader.read_count("a number of tensors", kMinTensorBytes);
  const auto n_pairs = reader.read_count("a number of metadata pairs", kMinPairBytes);
  for (std::uint64_t i = 0; i < n_pairs; ++i) {
    const std::size_t start = reader.position();
    std::string key(reader.read_string("a metadata key"));
    if (gguf.has(key)) {
      reader.fail(start, fmt::format("metadata key {} stands twice", gguf_name_in_quotes(key)));
    }
    Value parsed = read_gguf_value(reader);
    gguf.metadata_.emplace(std::move(key), std::move(parsed));
  }
  const std::uint64_t alignment = alignment_of(gguf);
  std::vector<TensorEntry> entries;
  std::unordered_set<std::string> names;
  for (std::uint64_t i = 0; i < n_tensors; ++i) {
    GgufTensor& tensor = gguf.tensors_.emplace_back();
    entries.push_back(read_entry(reader, tensor));
    if (!names.insert(tensor.name).second) {
      reader.fail(entries.back().start,
                  fmt::format("tensor {} stands twice", gguf_name_in_quotes(tensor.name)));
    }
  }
  const auto bytes = gguf.file_.bytes();
  const std::uint64_t padding = (alignment - reader.position() % alignment) % alignment;
  gguf.header_ = bytes.first(std::min<std::uint64_t>(reader.position() + padding, bytes.size()));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    gguf.tensors_[i].bytes = find_bytes(reader, gguf.tensors_[i].name, entries[i],
                                        bytes.subspan(gguf.header_.size()), alignment);
  }
  return gguf;
}

}  // namespace labelprobe::files
