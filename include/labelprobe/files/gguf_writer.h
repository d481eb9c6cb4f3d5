// Writes GGUF files (version 3, little-endian): metadata, then tensors that need not be in memory
// together. What the keys mean is not known here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "labelprobe/files/ggml_types.h"

namespace labelprobe::files {

struct GgufTensorToWrite {
  std::string name;
  GgmlType type = GgmlType::F32;
  std::vector<std::int64_t> shape;  // row-major as torch counts; rows are whole blocks

  std::size_t n_bytes() const;
};

// Values as wide as converters write them.
using GgufValueToWrite = std::variant<std::uint32_t,
                                      std::int32_t,
                                      float,
                                      bool,
                                      std::string,
                                      std::vector<std::int32_t>,
                                      std::vector<float>,
                                      std::vector<std::string>>;
using GgufMetadata = std::vector<std::pair<std::string, GgufValueToWrite>>;

class GgufWriter {
 public:
  // Throws ModelError if the file is there or cannot be written.
  GgufWriter(const std::filesystem::path& path,
             const GgufMetadata& metadata,
             const std::vector<GgufTensorToWrite>& tensors);
  ~GgufWriter();
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;

  // What the file would take, its header included.
  static std::size_t bytes_on_disk(const GgufMetadata& metadata,
                                   const std::vector<GgufTensorToWrite>& tensors);

  // The bytes of one tensor from its byte `first` on; every byte once, in any order, from any
  // number of threads.
  void write_part(const std::string& name, std::size_t first, std::span<const std::byte> bytes);

  // To be called when all have been written.
  void close();

  // Bytes of all tensors, and of what has been written of them.
  std::size_t n_bytes() const { return n_bytes_; }
  std::size_t n_bytes_written() const { return n_bytes_written_; }

 private:
  struct File;
  struct Place {
    std::size_t at = 0;
    std::size_t n_bytes = 0;
  };

  std::unique_ptr<File> file_;
  std::map<std::string, Place> places_;
  std::size_t n_bytes_ = 0;
  std::atomic<std::size_t> n_bytes_written_ = 0;
};

}  // namespace labelprobe::files
