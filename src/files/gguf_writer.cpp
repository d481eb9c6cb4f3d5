#include "labelprobe/files/gguf_writer.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "labelprobe/core/error.h"

#include "files/placed_file.h"

namespace labelprobe::files {
namespace {

constexpr std::size_t kAlignment = 32;  // of every tensor's first byte, where the header is silent

std::size_t aligned(std::size_t n_bytes) {
  return (n_bytes + kAlignment - 1) / kAlignment * kAlignment;
}

template <class Number>
void put(std::string& out, Number number) {
  static_assert(std::is_trivially_copyable_v<Number>);
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put(std::string& out, const std::string& text) {
  put(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

// The number of a value's type in the file.
template <class T>
constexpr std::uint32_t kType = std::is_same_v<T, std::uint32_t>  ? 4
                                : std::is_same_v<T, std::int32_t> ? 5
                                : std::is_same_v<T, float>        ? 6
                                : std::is_same_v<T, bool>         ? 7
                                                                  : 8;  // texts
constexpr std::uint32_t kArray = 9;

template <class T>
void put_value(std::string& out, const T& value) {
  put(out, kType<T>);
  put(out, value);
}

template <class T>
void put_value(std::string& out, const std::vector<T>& values) {
  put(out, kArray);
  put(out, kType<T>);
  put(out, static_cast<std::uint64_t>(values.size()));
  for (const T& value : values) put(out, value);
}

// All that stands before the first tensor's bytes.
std::string head_of(const GgufMetadata& metadata, const std::vector<GgufTensorToWrite>& tensors) {
  constexpr std::uint32_t kVersion = 3;
  std::string head = "GGUF";
  put(head, kVersion);
  put(head, static_cast<std::uint64_t>(tensors.size()));
  put(head, static_cast<std::uint64_t>(metadata.size()));
  for (const auto& [key, value] : metadata) {
    put(head, key);
    std::visit([&](const auto& one) { put_value(head, one); }, value);
  }
  std::size_t offset = 0;
  for (const GgufTensorToWrite& tensor : tensors) {
    put(head, tensor.name);
    put(head, static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) {
      put(head, static_cast<std::uint64_t>(*size));
    }
    put(head, static_cast<std::uint32_t>(tensor.type));
    put(head, static_cast<std::uint64_t>(offset));
    offset += aligned(tensor.n_bytes());
  }
  head.resize(aligned(head.size()), '\0');
  return head;
}

}  // namespace

struct GgufWriter::File : PlacedFile {
  using PlacedFile::PlacedFile;
};

std::size_t GgufTensorToWrite::n_bytes() const {
  const std::optional<BlockLayout> layout = block_layout(type);
  LABELPROBE_CHECK(layout.has_value() && !shape.empty());
  LABELPROBE_CHECK(shape.back() % layout->n_elements == 0);
  std::size_t n = static_cast<std::size_t>(layout->n_bytes);
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) n *= static_cast<std::size_t>(shape[i]);
  return n * static_cast<std::size_t>(shape.back() / layout->n_elements);
}

GgufWriter::GgufWriter(const std::filesystem::path& path,
                       const GgufMetadata& metadata,
                       const std::vector<GgufTensorToWrite>& tensors)
    : file_(std::make_unique<File>(path)) {
  const std::string head = head_of(metadata, tensors);
  file_->write(std::as_bytes(std::span(head)), 0);
  std::size_t at = head.size();
  for (const GgufTensorToWrite& tensor : tensors) {
    const std::size_t n = tensor.n_bytes();
    places_[tensor.name] = {at, n};
    n_bytes_ += n;
    const std::vector<std::byte> gap(aligned(n) - n);
    file_->write(gap, at + n);
    at += aligned(n);
  }
}

GgufWriter::~GgufWriter() = default;

std::size_t GgufWriter::bytes_on_disk(const GgufMetadata& metadata,
                                      const std::vector<GgufTensorToWrite>& tensors) {
  std::size_t n = head_of(metadata, tensors).size();
  for (const GgufTensorToWrite& tensor : tensors) n += aligned(tensor.n_bytes());
  return n;
}

void GgufWriter::write_part(const std::string& name,
                            std::size_t first,
                            std::span<const std::byte> bytes) {
  const auto found = places_.find(name);
  LABELPROBE_CHECK(found != places_.end());
  const Place& place = found->second;
  LABELPROBE_CHECK(first <= place.n_bytes && bytes.size() <= place.n_bytes - first);
  file_->write(bytes, place.at + first);
  n_bytes_written_ += bytes.size();
}

void GgufWriter::close() {
  LABELPROBE_CHECK(n_bytes_written_ == n_bytes_);
  file_->close();
}

}  // namespace labelprobe::files
