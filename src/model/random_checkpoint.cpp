// Random checkpoints: what is in which file is settled first, then all threads write their pieces
// of it at the places where they belong.
#include "labelprobe/model/random_checkpoint.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "decoder_config.h"
#include "dtype.h"
#include "model_shapes.h"
#include "new_folder.h"
#include "normal_numbers.h"

namespace labelprobe::model {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kMostShardBytes = 5'000'000'000;
constexpr std::int64_t kPieceNumbers = std::int64_t{2} << 20;
constexpr double kStandardDeviation = 0.02;  // of transformers' initialisation

std::int64_t n_numbers(const Parameter& parameter) {
  return std::accumulate(parameter.shape.begin(), parameter.shape.end(), std::int64_t{1},
                         std::multiplies<>());
}

bool is_norm(const Parameter& parameter) {
  return parameter.name.ends_with("norm.weight");
}

std::string stored_name(DType dtype) {
  return dtype == DType::Float32 ? "F32" : dtype == DType::BFloat16 ? "BF16" : "F16";
}

[[noreturn]] void fail_writing(const fs::path& path) {
  throw ModelError(path.string() + ": cannot be written: " + std::strerror(errno));
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) {
    fail_writing(path);
  }
}

// A file that several threads write to.
class OutputFile {
 public:
  explicit OutputFile(fs::path path)
      : path_(std::move(path)), fd_(::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666)) {
    if (fd_ < 0) {
      fail_writing(path_);
    }
  }
  ~OutputFile() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::byte> bytes, std::int64_t at) const {
    while (!bytes.empty()) {
      const ::ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), at);
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n <= 0) {
        fail_writing(path_);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      at += n;
    }
  }

  // Some file systems say only now that a write has failed.
  void close() {
    if (::close(std::exchange(fd_, -1)) != 0) {
      fail_writing(path_);
    }
  }

 private:
  fs::path path_;
  int fd_;
};

// Consecutive parameters that share a file.
struct Shard {
  std::string file_name;
  std::span<const Parameter> parameters;
};

std::vector<Shard> divided(std::span<const Parameter> parameters, std::int64_t element_size) {
  std::vector<std::span<const Parameter>> parts;
  std::size_t first = 0;
  std::int64_t n_bytes = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::int64_t more = n_numbers(parameters[i]) * element_size;
    if (i > first && n_bytes + more > kMostShardBytes) {
      parts.push_back(parameters.subspan(first, i - first));
      first = i;
      n_bytes = 0;
    }
    n_bytes += more;
  }
  parts.push_back(parameters.subspan(first));
  std::vector<Shard> shards;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    char name[64];
    std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, parts.size());
    shards.push_back({parts.size() == 1 ? "model.safetensors" : name, parts[i]});
  }
  return shards;
}

// A run of one parameter's numbers, and where in the file they go.
struct Piece {
  std::uint64_t key = 0;  // of the stream of numbers; 0 = all are one
  std::int64_t first = 0;
  std::int64_t n = 0;
  std::int64_t at = 0;
};

class Writer {
 public:
  Writer(const RandomCheckpointOptions& options, std::int64_t n_bytes)
      : options_(options), numbers_(options.dtype, kStandardDeviation), n_bytes_(n_bytes) {
    const float one = 1.0F;
    const c10::BFloat16 bfloat_one = one;
    const c10::Half half_one = one;
    const void* bytes = options.dtype == DType::Float32    ? static_cast<const void*>(&one)
                        : options.dtype == DType::BFloat16 ? static_cast<const void*>(&bfloat_one)
                                                           : static_cast<const void*>(&half_one);
    std::memcpy(one_, bytes, numbers_.element_size());
  }

  void write(const Shard& shard, const fs::path& folder) {
    OutputFile file(folder / shard.file_name);
    const std::vector<Piece> pieces = write_header(shard, file);
    std::atomic<std::size_t> next = 0;
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto work = [&](bool is_caller) {
      try {
        for (std::size_t i = next++; i < pieces.size(); i = next++) {
          write_piece(pieces[i], file);
          if (is_caller) {
            report();
          }
        }
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        failure = std::current_exception();
        next = pieces.size();
      }
    };
    std::vector<std::thread> helpers;
    const unsigned n_threads = std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
    for (unsigned i = 1; i < n_threads; ++i) {
      helpers.emplace_back(work, false);
    }
    work(true);
    for (std::thread& helper : helpers) {
      helper.join();
    }
    if (failure) {
      std::rethrow_exception(failure);
    }
    file.close();
    report();
  }

 private:
  // Never twice the same, for the last piece of a file may be the caller's.
  void report() {
    const std::int64_t n = n_written_;
    if (options_.on_progress && n != std::exchange(n_reported_, n)) {
      options_.on_progress(n, n_bytes_);
    }
  }

  // Writes what comes before the numbers and says where they go.
  std::vector<Piece> write_header(const Shard& shard, const OutputFile& file) const {
    const auto element_size = static_cast<std::int64_t>(numbers_.element_size());
    Json header = {{"__metadata__", {{"format", "pt"}}}};
    std::vector<Piece> pieces;
    std::int64_t at = 0;
    for (const Parameter& parameter : shard.parameters) {
      const std::int64_t n = n_numbers(parameter);
      const std::uint64_t key = is_norm(parameter) ? 0 : key_of(parameter.name);
      for (std::int64_t first = 0; first < n; first += kPieceNumbers) {
        pieces.push_back(
            {key, first, std::min(kPieceNumbers, n - first), at + first * element_size});
      }
      header[parameter.name] = {{"dtype", stored_name(options_.dtype)},
                                {"shape", parameter.shape},
                                {"data_offsets", {at, at + n * element_size}}};
      at += n * element_size;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // numbers begin at a multiple of 8
    std::string head;
    for (int i = 0; i < 8; ++i) {
      head += static_cast<char>(text.size() >> (8 * i));
    }
    head += text;
    file.write(std::as_bytes(std::span(head)), 0);
    for (Piece& piece : pieces) {
      piece.at += static_cast<std::int64_t>(head.size());
    }
    return pieces;
  }

  // By name, so that a model with fewer layers has the same weights in those it has.
  std::uint64_t key_of(const std::string& name) const {
    const std::string digits = fingerprint(std::to_string(options_.seed) + " " + name);
    return std::stoull(digits.substr(0, 16), nullptr, 16) | 1U;
  }

  void write_piece(const Piece& piece, const OutputFile& file) {
    thread_local std::vector<std::byte> bytes;
    const std::size_t size = numbers_.element_size();
    bytes.resize(static_cast<std::size_t>(piece.n) * size);
    if (piece.key != 0) {
      numbers_.fill(piece.key, piece.first, bytes);
    } else {
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = one_[i % size];
      }
    }
    file.write(bytes, piece.at);
    n_written_ += static_cast<std::int64_t>(bytes.size());
  }

  const RandomCheckpointOptions& options_;
  NormalNumbers numbers_;
  std::int64_t n_bytes_;
  std::atomic<std::int64_t> n_written_ = 0;
  std::int64_t n_reported_ = 0;
  std::byte one_[sizeof(float)] = {};
};

void write_index(std::span<const Shard> shards, std::int64_t n_bytes, const fs::path& folder) {
  Json files = Json::object();
  for (const Shard& shard : shards) {
    for (const Parameter& parameter : shard.parameters) {
      files[parameter.name] = shard.file_name;
    }
  }
  const Json index = {{"metadata", {{"total_size", n_bytes}}}, {"weight_map", std::move(files)}};
  write_text(folder / "model.safetensors.index.json", index.dump(2) + "\n");
}

std::string gigabytes(std::uintmax_t n_bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(n_bytes) / 1e9);
  return text;
}

void check_space(std::int64_t n_bytes, const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  const auto needed = static_cast<std::uintmax_t>(n_bytes);
  if (!error && space.available < needed) {
    throw ModelError(folder.string() + ": expected " + gigabytes(needed) +
                     " of free disk space, found " + gigabytes(space.available) +
                     "; free some, or ask for fewer layers");
  }
}

void write_into(const RandomCheckpointOptions& options, const fs::path& folder) {
  write_text(folder / "config.json", config_of(options.shape, options.n_layers, options.dtype));
  write_text(folder / "generation_config.json", generation_config_of(options.shape));
  const std::vector<Parameter> parameters = parameters_of(load_config(folder));
  const auto element_size = static_cast<std::int64_t>(c10::elementSize(scalar_type(options.dtype)));
  std::int64_t n_bytes = 0;
  for (const Parameter& parameter : parameters) {
    n_bytes += n_numbers(parameter) * element_size;
  }
  check_space(n_bytes, folder);
  const std::vector<Shard> shards = divided(parameters, element_size);
  if (shards.size() > 1) {
    write_index(shards, n_bytes, folder);
  }
  Writer writer(options, n_bytes);
  for (const Shard& shard : shards) {
    writer.write(shard, folder);
  }
}

}  // namespace

void write_random_checkpoint(const RandomCheckpointOptions& options) {
  const ModelShape& shape = model_shape(options.shape);
  if (options.n_layers < 0 || options.n_layers > shape.n_layers) {
    throw ConfigError(std::string(shape.name) + ": expected 1 to " +
                      std::to_string(shape.n_layers) + " layers, found " +
                      std::to_string(options.n_layers));
  }
  write_new_folder(options.folder, [&](const fs::path& folder) { write_into(options, folder); });
}

}  // namespace labelprobe::model
