#include "labelprobe/files/safetensors_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"

#include "files/placed_file.h"

namespace labelprobe::files {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kHeaderAlignment = 8;

[[noreturn]] void fail_writing(const fs::path& path) {
  throw ModelError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
}

// The tensors of each file.
std::vector<std::vector<TensorToWrite>> divided(const std::vector<TensorToWrite>& tensors,
                                                std::size_t max_bytes) {
  std::vector<std::vector<TensorToWrite>> parts(1);
  std::size_t n_bytes = 0;
  for (const TensorToWrite& tensor : tensors) {
    if (!parts.back().empty() && n_bytes + tensor.n_bytes() > max_bytes) {
      parts.emplace_back();
      n_bytes = 0;
    }
    n_bytes += tensor.n_bytes();
    parts.back().push_back(tensor);
  }
  return parts;
}

std::string file_name(std::size_t i, std::size_t n) {
  if (n == 1) return "model.safetensors";
  return fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, n);
}

// The tensors of one file in its order.
void sort_by_width(std::vector<TensorToWrite>& tensors) {
  std::stable_sort(tensors.begin(), tensors.end(),
                   [](const TensorToWrite& a, const TensorToWrite& b) {
                     return safetensors_element_bytes(a.type) > safetensors_element_bytes(b.type);
                   });
}

std::size_t n_bytes_of(const TensorToWrite& tensor) {
  return tensor.n_bytes();
}

std::size_t n_bytes_of(const SafetensorsTensor& tensor) {
  return tensor.bytes.size();
}

// What transformers writes, and asks for.
Json format_pt() {
  return {{"__metadata__", {{"format", "pt"}}}};
}

// What a file with these tensors, in its order, begins with.
template <class Tensor>
std::string head_of(std::span<const Tensor> tensors, Json header) {
  std::size_t end = 0;
  for (const Tensor& tensor : tensors) {
    const std::size_t begin = std::exchange(end, end + n_bytes_of(tensor));
    header[tensor.name] = {
        {"dtype", tensor.type}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
  std::string head;
  for (int i = 0; i < 8; ++i) head += static_cast<char>(text.size() >> (8 * i));
  return head + text;
}

}  // namespace

std::size_t TensorToWrite::n_bytes() const {
  std::size_t n = safetensors_element_bytes(type);
  LABELPROBE_CHECK(n > 0);
  for (const std::int64_t size : shape) n *= static_cast<std::size_t>(size);
  return n;
}

std::string safetensors_head(std::span<const TensorToWrite> tensors,
                             const std::map<std::string, std::string>& metadata) {
  return head_of(tensors, Json{{"__metadata__", metadata}});
}

void write_safetensors(std::ostream& out,
                       std::span<const SafetensorsTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  out << head_of(tensors, std::move(header));
  for (const SafetensorsTensor& tensor : tensors) {
    out.write(reinterpret_cast<const char*>(tensor.bytes.data()),
              static_cast<std::streamsize>(tensor.bytes.size()));
  }
}

void write_safetensors(const fs::path& path,
                       std::span<const SafetensorsTensor> tensors,
                       ErrorKind error) {
  std::ofstream file(path, std::ios::binary);
  write_safetensors(file, tensors);
  file.close();
  if (!file) fail(error, path.string() + ": cannot be written");
}

class SafetensorsWriter::File : public PlacedFile {
 public:
  using PlacedFile::PlacedFile;
};

SafetensorsWriter::SafetensorsWriter(const fs::path& folder,
                                     const std::vector<TensorToWrite>& tensors,
                                     std::size_t max_shard_bytes) {
  std::vector<std::vector<TensorToWrite>> parts = divided(tensors, max_shard_bytes);
  Json weight_map = Json::object();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string name = file_name(i, parts.size());
    for (const TensorToWrite& tensor : parts[i]) weight_map[tensor.name] = name;
    add_file(folder / name, std::move(parts[i]));
  }
  if (parts.size() > 1) {
    const fs::path path = folder / "model.safetensors.index.json";
    std::ofstream index(path, std::ios::binary);
    index << Json{{"metadata", {{"total_size", n_bytes_}}}, {"weight_map", std::move(weight_map)}}
                 .dump(2)
          << '\n';
    if (!index.flush()) fail_writing(path);
  }
}

SafetensorsWriter::~SafetensorsWriter() = default;

std::size_t SafetensorsWriter::bytes_on_disk(const std::vector<TensorToWrite>& tensors,
                                             std::size_t max_shard_bytes) {
  std::size_t n_bytes = 0;
  for (std::vector<TensorToWrite>& part : divided(tensors, max_shard_bytes)) {
    sort_by_width(part);
    n_bytes += head_of(std::span<const TensorToWrite>(part), format_pt()).size();
    for (const TensorToWrite& tensor : part) n_bytes += tensor.n_bytes();
  }
  return n_bytes;
}

void SafetensorsWriter::add_file(const fs::path& path, std::vector<TensorToWrite> tensors) {
  sort_by_width(tensors);
  const std::string head = head_of(std::span<const TensorToWrite>(tensors), format_pt());
  files_.push_back(std::make_unique<File>(path));
  files_.back()->write(std::as_bytes(std::span(head)), 0);
  std::size_t at = head.size();
  for (const TensorToWrite& tensor : tensors) {
    Place& place = places_[tensor.name];
    place.file = files_.back().get();
    place.at = at;
    place.n_bytes = place.n_bytes_left = tensor.n_bytes();
    at += tensor.n_bytes();
    n_bytes_ += tensor.n_bytes();
  }
}

void SafetensorsWriter::write(const std::string& name, std::span<const std::byte> bytes) {
  const auto place = places_.find(name);
  LABELPROBE_CHECK(place != places_.end() && place->second.n_bytes == bytes.size());
  write_part(name, 0, bytes);
}

void SafetensorsWriter::write_part(const std::string& name,
                                   std::size_t first,
                                   std::span<const std::byte> bytes) {
  const auto found = places_.find(name);
  LABELPROBE_CHECK(found != places_.end());
  Place& place = found->second;
  LABELPROBE_CHECK(first <= place.n_bytes && bytes.size() <= place.n_bytes - first);
  LABELPROBE_CHECK(place.n_bytes_left.fetch_sub(bytes.size()) >= bytes.size());
  place.file->write(bytes, place.at + first);
  n_bytes_written_ += bytes.size();
}

void SafetensorsWriter::close() {
  for (const auto& [name, place] : places_) LABELPROBE_CHECK(place.n_bytes_left == 0);
  for (const std::unique_ptr<File>& file : files_) file->close();
}

}  // namespace labelprobe::files
