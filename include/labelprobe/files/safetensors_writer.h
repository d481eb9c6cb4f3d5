// Writes safetensors files.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "labelprobe/core/error_kind.h"
#include "labelprobe/files/safetensors.h"

namespace labelprobe::files {

struct TensorToWrite {
  std::string name;
  std::string type;  // as the format has it: "F32", "BF16", "F16", "U8", "I8"
  std::vector<std::int64_t> shape;

  std::size_t n_bytes() const;
};

// Writes one file of tensors that are in memory, in the order given. Throws `error` if it cannot be
// written.
void write_safetensors(const std::filesystem::path& path,
                       std::span<const SafetensorsTensor> tensors,
                       ErrorKind error);

// The same into a stream; whoever opened it sees to errors.
//   metadata  the texts under "__metadata__"
void write_safetensors(std::ostream& out,
                       std::span<const SafetensorsTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

// What a file of these tensors, whose bytes follow in this order, begins with.
std::string safetensors_head(std::span<const TensorToWrite> tensors,
                             const std::map<std::string, std::string>& metadata);

// Writes tensors that come one after the other and need not be in memory together: what is where is
// settled before the first byte.
class SafetensorsWriter {
 public:
  static constexpr std::size_t kMaxShardBytes = 5'000'000'000;

  // Makes model.safetensors, or shards of at most `max_shard_bytes` (more where one tensor has
  // more) and model.safetensors.index.json, in the order of `tensors`; in each file the wider types
  // come first, so that every tensor is aligned. Throws ModelError if a file cannot be written.
  SafetensorsWriter(const std::filesystem::path& folder,
                    const std::vector<TensorToWrite>& tensors,
                    std::size_t max_shard_bytes = kMaxShardBytes);
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  // What the files would take, their headers included.
  static std::size_t bytes_on_disk(const std::vector<TensorToWrite>& tensors,
                                   std::size_t max_shard_bytes = kMaxShardBytes);

  // The whole of one tensor; each once, in any order.
  void write(const std::string& name, std::span<const std::byte> bytes);

  // The bytes of one tensor from its byte `first` on; every byte once, in any order, from any
  // number of threads.
  void write_part(const std::string& name, std::size_t first, std::span<const std::byte> bytes);

  // To be called when all have been written.
  void close();

  // Bytes of all tensors, and of what has been written of them.
  std::size_t n_bytes() const { return n_bytes_; }
  std::size_t n_bytes_written() const { return n_bytes_written_; }

 private:
  class File;
  struct Place {
    File* file = nullptr;
    std::size_t at = 0;
    std::size_t n_bytes = 0;
    std::atomic<std::size_t> n_bytes_left = 0;
  };

  void add_file(const std::filesystem::path& path, std::vector<TensorToWrite> tensors);

  std::vector<std::unique_ptr<File>> files_;
  std::map<std::string, Place, std::less<>> places_;
  std::size_t n_bytes_ = 0;
  std::atomic<std::size_t> n_bytes_written_ = 0;
};

}  // namespace labelprobe::files
