// Random checkpoints: what is in which file is settled first, then all threads write their pieces
// of it at the places where they belong.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/new_folder.h"
#include "labelprobe/files/safetensors_writer.h"
#include "labelprobe/weights/making.h"

#include "weights/checkpoint/load_config.h"
#include "weights/checkpoint/quantized_tensors.h"
#include "weights/device/dtype.h"
#include "weights/families/parameters.h"
#include "weights/making/folder_files.h"
#include "weights/making/model_shapes.h"
#include "weights/making/normal_numbers.h"
#include "weights/making/random_gguf.h"
#include "weights/quantized/dynamic_map.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::weights {
namespace {

namespace fs = std::filesystem;

// Written before what Nf4Double keeps of them is: about a layer of a 70B model.
constexpr std::int64_t kGroupNumbers = std::int64_t{1} << 30;

Quantization kept_as(const Parameter& parameter, const RandomCheckpointOptions& options) {
  return parameter.is_block_linear() ? options.quantization : Quantization::None;
}

std::vector<files::TensorToWrite> tensors_of(std::span<const Parameter> parameters,
                                             const RandomCheckpointOptions& options) {
  std::vector<files::TensorToWrite> tensors;
  for (const Parameter& parameter : parameters) {
    if (kept_as(parameter, options) == Quantization::None) {
      tensors.push_back({parameter.name, safetensors_type(options.dtype), parameter.shape});
      continue;
    }
    for (files::TensorToWrite& tensor : quantized_layout(parameter, options.quantization)) {
      tensors.push_back(std::move(tensor));
    }
  }
  return tensors;
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) {
    throw ModelError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
  }
}

// A run of one parameter's numbers: whole blocks or rows, where those are quantised together.
struct Piece {
  const Parameter* parameter = nullptr;
  Quantization kept_as = Quantization::None;
  std::uint64_t key = 0;  // of the stream of numbers; 0 = all are one
  std::int64_t first = 0;
  std::int64_t n = 0;
  at::Tensor absmax;  // Nf4Double: where the piece's go, to be quantised with all of the matrix
};

class Writer {
 public:
  Writer(const RandomCheckpointOptions& options,
         std::span<const Parameter> parameters,
         const fs::path& folder)
      : options_(options),
        numbers_(options.dtype, kStandardDeviation),
        file_writer_(folder, tensors_of(parameters, options)) {}

  void write(std::span<const Parameter> parameters) {
    while (!parameters.empty()) {
      std::size_t n = 0;
      for (std::int64_t sum = 0; n < parameters.size(); ++n) {
        sum += parameters[n].n_elements();
        if (n > 0 && sum > kGroupNumbers) {
          break;
        }
      }
      write_group(parameters.first(n));
      parameters = parameters.subspan(n);
    }
    file_writer_.close();
  }

 private:
  struct DoublyQuantized {
    const Parameter* parameter = nullptr;
    at::Tensor absmax;  // float32 [blocks of 64]
  };

  void write_group(std::span<const Parameter> parameters) {
    std::vector<Piece> pieces;
    std::vector<DoublyQuantized> matrices;
    for (const Parameter& parameter : parameters) {
      at::Tensor absmax;
      if (kept_as(parameter, options_) == Quantization::Nf4Double) {
        absmax = at::empty({(parameter.n_elements() + 63) / 64}, at::kFloat);
        matrices.push_back({&parameter, absmax});
      }
      add_pieces(parameter, absmax, pieces);
    }
    std::atomic<std::size_t> next = 0;
    // ATen's threads, so that its own operators do not start further ones in each of them.
    at::parallel_for(0, at::get_num_threads(), 1, [&](std::int64_t, std::int64_t) {
      const c10::InferenceMode no_gradients;
      const bool is_caller = at::get_thread_num() == 0;
      try {
        for (std::size_t i = next++; i < pieces.size(); i = next++) {
          write_piece(pieces[i]);
          if (is_caller) {
            report();
          }
        }
      } catch (...) {
        next = pieces.size();
        throw;
      }
    });
    write_doubly_quantized(matrices);
    for (const Parameter& parameter : parameters) {
      const Quantization quantization = kept_as(parameter, options_);
      if (quantization != Quantization::None && quantization != Quantization::Nf4Double) {
        write_quantized_rest(parameter.name, described(parameter), options_.dtype, file_writer_);
      }
    }
    report();
  }

  // Never twice the same, for the last piece of a group may be the caller's.
  void report() {
    const auto n = static_cast<std::int64_t>(file_writer_.n_bytes_written());
    if (options_.on_progress && n != std::exchange(n_reported_, n)) {
      options_.on_progress(n, static_cast<std::int64_t>(file_writer_.n_bytes()));
    }
  }

  void add_pieces(const Parameter& parameter,
                  const at::Tensor& absmax,
                  std::vector<Piece>& pieces) const {
    const Quantization quantization = kept_as(parameter, options_);
    const std::int64_t n = parameter.n_elements();
    const std::uint64_t key = is_norm(parameter.role) ? 0 : key_of(parameter.name);
    std::int64_t n_most = kPieceNumbers;
    if (quantization == Quantization::Int8) {
      const std::int64_t width = parameter.shape[1];
      n_most = std::max<std::int64_t>(1, n_most / width) * width;
    }
    for (std::int64_t first = 0; first < n; first += n_most) {
      Piece piece{&parameter, quantization, key, first, std::min(n_most, n - first), {}};
      if (absmax.defined()) {
        piece.absmax = absmax.slice(0, first / 64, (first + piece.n + 63) / 64);
      }
      pieces.push_back(std::move(piece));
    }
  }

  // By name, so that a model with fewer layers has the same weights in those it has.
  std::uint64_t key_of(const std::string& name) const {
    const std::string digits = fingerprint(fmt::format("{} {}", options_.seed, name));
    return std::stoull(digits.substr(0, 16), nullptr, 16) | 1U;
  }

  void write_piece(const Piece& piece) {
    thread_local std::vector<std::byte> buffer;
    const std::size_t element_size = numbers_.element_size();
    buffer.resize(static_cast<std::size_t>(piece.n) * element_size);
    const at::Tensor numbers =
        at::from_blob(buffer.data(), {piece.n}, at::TensorOptions(scalar_type(options_.dtype)));
    if (piece.key != 0) {
      numbers_.fill(piece.key, piece.first, buffer);
    } else {
      numbers.fill_(1.0);
    }
    if (piece.kept_as == Quantization::None) {
      file_writer_.write_part(piece.parameter->name,
                              static_cast<std::size_t>(piece.first) * element_size, buffer);
      return;
    }
    const bool is_double = piece.kept_as == Quantization::Nf4Double;
    const std::int64_t width =
        piece.kept_as == Quantization::Int8 ? piece.parameter->shape[1] : piece.n;
    QuantizedWeight part =
        quantize(numbers.view({-1, width}), is_double ? Quantization::Nf4 : piece.kept_as);
    part.quantization = piece.kept_as;
    if (is_double) {
      piece.absmax.copy_(part.absmax);
    }
    write_quantized_part(piece.parameter->name, part, piece.first, file_writer_);
  }

  // The second quantisation, as quantize() does it.
  void write_doubly_quantized(std::span<const DoublyQuantized> matrices) {
    std::vector<at::Tensor> means;
    for (const DoublyQuantized& matrix : matrices) {
      means.push_back(mean_of_absmax(matrix.absmax));
    }
    const auto n = static_cast<std::int64_t>(matrices.size());
    at::parallel_for(0, n, 1, [&](std::int64_t begin, std::int64_t end) {
      const c10::InferenceMode no_gradients;
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        const DynamicCodes codes = quantize_with_dynamic_map(matrices[i].absmax - means[i]);
        QuantizedWeight weight = described(*matrices[i].parameter);
        weight.offset = means[i].item<float>();
        weight.absmax_codes = codes.codes;
        weight.outer_absmax = codes.absmax;
        weight.absmax_map = dynamic_map();
        write_quantized_rest(matrices[i].parameter->name, weight, options_.dtype, file_writer_);
      }
    });
  }

  // Without its tensors.
  QuantizedWeight described(const Parameter& matrix) const {
    QuantizedWeight weight;
    weight.quantization = options_.quantization;
    weight.height = matrix.shape[0];
    weight.width = matrix.shape[1];
    return weight;
  }

  const RandomCheckpointOptions& options_;
  NormalNumbers numbers_;
  files::SafetensorsWriter file_writer_;
  std::int64_t n_reported_ = 0;
};

std::string gigabytes(std::uintmax_t n_bytes) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2f GB (%ju bytes)", static_cast<double>(n_bytes) / 1e9,
                n_bytes);
  return text.data();
}

void check_space(std::size_t n_bytes,
                 const RandomCheckpointOptions& options,
                 const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (!error && space.available < n_bytes) {
    throw ModelError(fmt::format(
        "{}: expected {} of free disk space, found {}; free some, or ask for fewer layers{}",
        options.folder.string(), gigabytes(n_bytes), gigabytes(space.available),
        options.quantization == Quantization::None ? " or a quantisation" : ""));
  }
}

void write_configs(const RandomCheckpointOptions& options, const fs::path& folder) {
  write_text(folder / "config.json", config_of(options.shape, options.n_layers, options.dtype));
  write_text(folder / "generation_config.json", generation_config_of(options.shape));
}

// As a packed copy of the unquantised model has them.
void write_packed_configs(const RandomCheckpointOptions& options, const fs::path& folder) {
  const fs::path plain = folder / "plain";
  fs::create_directory(plain);
  write_configs(options, plain);
  write_folder_files(plain, load_config(plain), options.dtype, options.quantization, folder);
  fs::remove_all(plain);
}

void write_into(const RandomCheckpointOptions& options, const fs::path& folder) {
  if (options.quantization == Quantization::None) {
    write_configs(options, folder);
  } else {
    write_packed_configs(options, folder);
  }
  const std::vector<Parameter> parameters = parameters_of(load_config(folder));
  Writer(options, parameters, folder).write(parameters);
}

std::size_t gguf_bytes(const Parameter& parameter, files::GgmlType asked) {
  return files::GgufTensorToWrite{"", stored_as(parameter, asked), parameter.shape}.n_bytes();
}

// The file appears under its name when it is complete.
void write_new_gguf(const RandomCheckpointOptions& options, std::size_t n_bytes) {
  const fs::path& file = options.folder;
  if (fs::exists(file)) {
    throw ModelError(fmt::format("{}: expected no such file yet, found one", file.string()));
  }
  const fs::path partial = file.string() + ".partial";
  if (file.has_parent_path()) fs::create_directories(file.parent_path());
  check_space(n_bytes, options, file.has_parent_path() ? file.parent_path() : fs::path("."));
  fs::remove(partial);
  try {
    write_gguf(options, partial);
  } catch (...) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw;
  }
  fs::rename(partial, file);
}

std::string_view part_name(const Parameter& parameter) {
  if (!parameter.is_block_linear()) {
    return parameter.role == Role::Embedding ? "embedding"
           : parameter.role == Role::Head    ? "output head"
                                             : "norms and biases";
  }
  const bool is_mlp = parameter.role == Role::Gate || parameter.role == Role::Up ||
                      parameter.role == Role::GateUp || parameter.role == Role::Down ||
                      is_of_expert(parameter.role);
  return is_mlp ? "MLP layers" : "attention layers";
}

}  // namespace

std::span<const GgufTypeToMake> gguf_types_to_make() {
  static constexpr std::array kTypes = {GgufTypeToMake{"q4_k", files::GgmlType::Q4_K},
                                        GgufTypeToMake{"q4_0", files::GgmlType::Q4_0},
                                        GgufTypeToMake{"q8_0", files::GgmlType::Q8_0}};
  return kTypes;
}

RandomCheckpointPlan plan_random_checkpoint(const RandomCheckpointOptions& options) {
  const ModelShape& shape = model_shape(options.shape);
  if (options.n_layers < 0 || options.n_layers > shape.n_layers) {
    throw ConfigError(fmt::format("{}: expected 1 to {} layers, found {}", shape.name,
                                  shape.n_layers, options.n_layers));
  }
  const DecoderConfig config = decoder_config_of(options.shape, options.n_layers);
  const std::vector<Parameter> parameters = parameters_of(config);
  const std::size_t dtype_size = dtype_bytes(options.dtype);
  RandomCheckpointPlan plan;
  for (const char* name :
       {"embedding", "attention layers", "MLP layers", "norms and biases", "output head"}) {
    WeightPart part{name};
    for (const Parameter& parameter : parameters) {
      if (part_name(parameter) != name) {
        continue;
      }
      const std::size_t n = static_cast<std::size_t>(parameter.n_elements());
      const Quantization quantization = kept_as(parameter, options);
      part.n_numbers += parameter.n_elements();
      part.unquantized_bytes += n * dtype_size;
      part.bytes += options.gguf_type ? gguf_bytes(parameter, *options.gguf_type)
                    : quantization == Quantization::None
                        ? n * dtype_size
                        : quantized_bytes(parameter.shape[0], parameter.shape[1], quantization);
    }
    if (part.n_numbers > 0) {
      plan.parts.push_back(part);
    }
  }
  if (options.gguf_type) {
    const GgufPlan file = plan_gguf(options);
    plan.disk_bytes = files::GgufWriter::bytes_on_disk(file.metadata, file.tensors);
  } else {
    plan.disk_bytes = files::SafetensorsWriter::bytes_on_disk(tensors_of(parameters, options));
  }
  plan.cache_bytes_per_token = std::size_t{2} * static_cast<std::size_t>(config.n_layers) *
                               static_cast<std::size_t>(config.n_kv_heads) *
                               static_cast<std::size_t>(config.head_dim) * dtype_size;
  plan.max_context = config.max_position_embeddings;
  return plan;
}

void write_random_checkpoint(const RandomCheckpointOptions& options) {
  const RandomCheckpointPlan plan = plan_random_checkpoint(options);
  if (options.gguf_type) return write_new_gguf(options, plan.disk_bytes);
  files::write_new_folder(options.folder, ErrorKind::Model, [&](const fs::path& folder) {
    check_space(plan.disk_bytes, options, folder);
    write_into(options, folder);
  });
}

}  // namespace labelprobe::weights
