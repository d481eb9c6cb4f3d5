#include "labelprobe/files/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/core.h>

#include "labelprobe/core/error.h"

#include "files/map_file.h"

namespace labelprobe::files {

static_assert(std::endian::native == std::endian::little, "GGUF values are read in place");

namespace {

// Type numbers of metadata values, as they stand in the file.
enum class ValueType : std::uint32_t {
  U8 = 0,
  I8 = 1,
  U16 = 2,
  I16 = 3,
  U32 = 4,
  I32 = 5,
  F32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  U64 = 10,
  I64 = 11,
  F64 = 12,
};

constexpr std::uint32_t kMaxDims = 4;
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kMaxAlignment = std::uint64_t{1} << 20;
// The least a metadata pair (empty key, one-byte value) and a tensor entry (empty name, one
// dimension) take: bounds the counts of a hostile header.
constexpr std::uint64_t kMinPairBytes = 8 + 4 + 1;
constexpr std::uint64_t kMinTensorBytes = 8 + 4 + 8 + 4 + 8;

// How many elements and bytes one block of a tensor type has.
struct Block {
  std::uint64_t n_elements;
  std::uint64_t n_bytes;
};

std::optional<Block> block_of(std::uint32_t type) {
  switch (static_cast<GgmlType>(type)) {
    case GgmlType::F32:
      return Block{1, 4};
    case GgmlType::F16:
    case GgmlType::BF16:
      return Block{1, 2};
    case GgmlType::F64:
      return Block{1, 8};
    case GgmlType::Q4_0:
      return Block{32, 18};
    case GgmlType::Q4_1:
      return Block{32, 20};
    case GgmlType::Q5_0:
      return Block{32, 22};
    case GgmlType::Q5_1:
      return Block{32, 24};
    case GgmlType::Q8_0:
      return Block{32, 34};
    case GgmlType::Q4_K:
      return Block{256, 144};
    case GgmlType::Q6_K:
      return Block{256, 210};
  }
  return std::nullopt;
}

// Names in messages come from the file: shortened, and only printable ASCII as it is.
std::string in_quotes(std::string_view name) {
  std::string text = "'";
  for (const char c : name.substr(0, 80)) {
    text += c >= 0x20 && c < 0x7F ? c : '?';
  }
  return text + (name.size() > 80 ? "...'" : "'");
}

// Walks over the bytes of a file; every read is checked against its end.
class Reader {
 public:
  explicit Reader(const MappedFile& file) : bytes_(file.bytes()), path_(file.path()) {}

  std::size_t position() const { return position_; }
  std::uint64_t n_left() const { return bytes_.size() - position_; }

  [[noreturn]] void fail(std::size_t offset, const std::string& message) const {
    throw ModelError(fmt::format("{}: byte {}: {}", path_.string(), offset, message));
  }

  template <class T>
  T read(const char* what) {
    require(sizeof(T), what);
    T number;
    std::memcpy(&number, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return number;
  }

  std::string_view read_string(const char* what) {
    const std::size_t start = position_;
    const auto length = read<std::uint64_t>(what);
    if (length > n_left()) {
      fail(start, fmt::format("{}{} of {} bytes, found only {} bytes to the end", "expected ", what,
                              length, n_left()));
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data() + position_), length);
    position_ += length;
    return text;
  }

  bool read_bool(const char* what) {
    const auto byte = read<std::uint8_t>(what);
    if (byte > 1) {
      fail(position_ - 1, fmt::format("{}{} (a bool, 0 or 1), found {}", "expected ", what, byte));
    }
    return byte == 1;
  }

  // A count of things of at least `min_bytes` each.
  std::uint64_t read_count(const char* what, std::uint64_t min_bytes) {
    const std::size_t start = position_;
    const auto count = read<std::uint64_t>(what);
    require_room(count, min_bytes, what, start);
    return count;
  }

  void require_room(std::uint64_t count,
                    std::uint64_t min_bytes,
                    const char* what,
                    std::size_t start) const {
    if (count > n_left() / min_bytes) {
      fail(start, fmt::format("{}{} that fits the remaining {} bytes, found {}", "expected ", what,
                              n_left(), count));
    }
  }

 private:
  void require(std::size_t n_bytes, const char* what) const {
    if (n_bytes > n_left()) {
      fail(position_, fmt::format("{}{}, found the end of the file", "expected ", what));
    }
  }

  std::span<const std::byte> bytes_;
  const std::filesystem::path& path_;
  std::size_t position_ = 0;
};

template <class Stored, class Wide>
std::vector<Wide> read_numbers(Reader& reader, std::uint64_t count) {
  std::vector<Wide> numbers(count);
  for (Wide& number : numbers) {
    number = static_cast<Wide>(reader.read<Stored>("an array element"));
  }
  return numbers;
}

std::uint64_t min_bytes_of(ValueType type) {
  switch (type) {
    case ValueType::U8:
    case ValueType::I8:
    case ValueType::Bool:
      return 1;
    case ValueType::U16:
    case ValueType::I16:
      return 2;
    case ValueType::U32:
    case ValueType::I32:
    case ValueType::F32:
      return 4;
    default:
      return 8;
  }
}

[[noreturn]] void fail_type(const Reader& reader, std::size_t offset, std::uint32_t type) {
  reader.fail(offset,
              fmt::format("expected a value type 0 to 12 (arrays not nested), found {}", type));
}

GgufFile::Value read_array(Reader& reader) {
  const std::size_t start = reader.position();
  const auto type = reader.read<std::uint32_t>("the type of an array's elements");
  const std::size_t count_start = reader.position();
  const auto count = reader.read<std::uint64_t>("an array length");
  reader.require_room(count, min_bytes_of(static_cast<ValueType>(type)), "an array length",
                      count_start);
  switch (static_cast<ValueType>(type)) {
    case ValueType::U8:
      return read_numbers<std::uint8_t, std::uint64_t>(reader, count);
    case ValueType::U16:
      return read_numbers<std::uint16_t, std::uint64_t>(reader, count);
    case ValueType::U32:
      return read_numbers<std::uint32_t, std::uint64_t>(reader, count);
    case ValueType::U64:
      return read_numbers<std::uint64_t, std::uint64_t>(reader, count);
    case ValueType::I8:
      return read_numbers<std::int8_t, std::int64_t>(reader, count);
    case ValueType::I16:
      return read_numbers<std::int16_t, std::int64_t>(reader, count);
    case ValueType::I32:
      return read_numbers<std::int32_t, std::int64_t>(reader, count);
    case ValueType::I64:
      return read_numbers<std::int64_t, std::int64_t>(reader, count);
    case ValueType::F32:
      return read_numbers<float, double>(reader, count);
    case ValueType::F64:
      return read_numbers<double, double>(reader, count);
    case ValueType::Bool: {
      std::vector<bool> flags(count);
      for (std::uint64_t i = 0; i < count; ++i) {
        flags[i] = reader.read_bool("an array element");
      }
      return flags;
    }
    case ValueType::String: {
      std::vector<std::string> strings(count);
      for (std::string& text : strings) {
        text = reader.read_string("an array element");
      }
      return strings;
    }
    default:
      fail_type(reader, start, type);
  }
}

GgufFile::Value read_value(Reader& reader) {
  const auto type = reader.read<std::uint32_t>("a value type");
  switch (static_cast<ValueType>(type)) {
    case ValueType::U8:
      return std::uint64_t{reader.read<std::uint8_t>("a value")};
    case ValueType::U16:
      return std::uint64_t{reader.read<std::uint16_t>("a value")};
    case ValueType::U32:
      return std::uint64_t{reader.read<std::uint32_t>("a value")};
    case ValueType::U64:
      return reader.read<std::uint64_t>("a value");
    case ValueType::I8:
      return std::int64_t{reader.read<std::int8_t>("a value")};
    case ValueType::I16:
      return std::int64_t{reader.read<std::int16_t>("a value")};
    case ValueType::I32:
      return std::int64_t{reader.read<std::int32_t>("a value")};
    case ValueType::I64:
      return reader.read<std::int64_t>("a value");
    case ValueType::F32:
      return double{reader.read<float>("a value")};
    case ValueType::F64:
      return reader.read<double>("a value");
    case ValueType::Bool:
      return reader.read_bool("a value");
    case ValueType::String:
      return std::string(reader.read_string("a text"));
    case ValueType::Array:
      return read_array(reader);
  }
  fail_type(reader, reader.position() - sizeof type, type);
}

// A directory entry; where the bytes lie is known only when the whole directory has been read.
struct TensorEntry {
  std::size_t start;  // of the entry itself, for messages
  std::uint64_t n_bytes;
  std::uint64_t offset;  // from the start of the tensor data
};

// Fails unless the tensor's elements can be counted, and, for types we know, its bytes.
std::uint64_t count_bytes(const Reader& reader,
                          std::size_t start,
                          const GgufTensor& tensor,
                          std::uint64_t n_row) {
  std::uint64_t n_elements = 1;
  for (const std::int64_t n : tensor.shape) {
    if (__builtin_mul_overflow(n_elements, static_cast<std::uint64_t>(n), &n_elements)) {
      reader.fail(start, fmt::format("tensor {} has more elements than can be counted",
                                     in_quotes(tensor.name)));
    }
  }
  const auto block = block_of(tensor.type);
  if (!block) {
    return 0;
  }
  if (n_row % block->n_elements != 0) {
    reader.fail(
        start,
        fmt::format(
            "tensor {} of type {}: expected a first dimension that is a multiple of {}, found {}",
            in_quotes(tensor.name), tensor.type, block->n_elements, n_row));
  }
  std::uint64_t n_bytes = 0;
  if (__builtin_mul_overflow(n_elements / block->n_elements, block->n_bytes, &n_bytes)) {
    reader.fail(
        start, fmt::format("tensor {} has more bytes than can be counted", in_quotes(tensor.name)));
  }
  return n_bytes;
}

TensorEntry read_entry(Reader& reader, GgufTensor& tensor) {
  TensorEntry entry{reader.position(), 0, 0};
  tensor.name = reader.read_string("a tensor name");
  const std::size_t dims_start = reader.position();
  const auto n_dims = reader.read<std::uint32_t>("a number of dimensions");
  if (n_dims < 1 || n_dims > kMaxDims) {
    reader.fail(dims_start, fmt::format("tensor {}: expected 1 to 4 dimensions, found {}",
                                        in_quotes(tensor.name), n_dims));
  }
  tensor.shape.resize(n_dims);
  for (std::uint32_t i = 0; i < n_dims; ++i) {
    const auto n = reader.read<std::uint64_t>("a tensor dimension");
    if (n < 1 || n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      reader.fail(reader.position() - 8,
                  fmt::format("tensor {}: expected a positive dimension, found {}",
                              in_quotes(tensor.name), n));
    }
    tensor.shape[n_dims - 1 - i] = static_cast<std::int64_t>(n);
  }
  tensor.type = reader.read<std::uint32_t>("a tensor type");
  entry.offset = reader.read<std::uint64_t>("a tensor offset");
  entry.n_bytes =
      count_bytes(reader, entry.start, tensor, static_cast<std::uint64_t>(tensor.shape.back()));
  return entry;
}

void check_version(Reader& reader) {
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
  if (alignment < 1 || alignment > static_cast<std::int64_t>(kMaxAlignment) ||
      !std::has_single_bit(static_cast<std::uint64_t>(alignment))) {
    throw ModelError(
        fmt::format("{}: metadata key '{}': expected a power of two up to {}, found {}",
                    gguf.path().string(), kKey, kMaxAlignment, alignment));
  }
  return static_cast<std::uint64_t>(alignment);
}

std::span<const std::byte> find_bytes(const Reader& reader,
                                      const std::string& name,
                                      const TensorEntry& entry,
                                      std::span<const std::byte> tensor_data,
                                      std::uint64_t alignment) {
  if (entry.offset % alignment != 0) {
    reader.fail(entry.start, fmt::format("tensor {}: expected an offset aligned to {}, found {}",
                                         in_quotes(name), alignment, entry.offset));
  }
  if (entry.offset > tensor_data.size() || entry.n_bytes > tensor_data.size() - entry.offset) {
    reader.fail(entry.start,
                fmt::format("tensor {}: expected {} bytes at {} of the tensor data, which has {} "
                            "bytes; the file may be truncated",
                            in_quotes(name), entry.n_bytes, entry.offset, tensor_data.size()));
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
  GgufFile gguf(map_file(path, ErrorKind::Model));
  Reader reader(gguf.file_);
  check_version(reader);
  const auto n_tensors = reader.read_count("a number of tensors", kMinTensorBytes);
  const auto n_pairs = reader.read_count("a number of metadata pairs", kMinPairBytes);
  for (std::uint64_t i = 0; i < n_pairs; ++i) {
    const std::size_t start = reader.position();
    std::string key(reader.read_string("a metadata key"));
    if (gguf.has(key)) {
      reader.fail(start, fmt::format("metadata key {} stands twice", in_quotes(key)));
    }
    Value parsed = read_value(reader);
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
                  fmt::format("tensor {} stands twice", in_quotes(tensor.name)));
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
