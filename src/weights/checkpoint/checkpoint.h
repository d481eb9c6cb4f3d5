// The weight files of one decoder: safetensors (single or sharded, with config.json) and GGUF,
// behind the same names and shapes. Whoever builds the decoder asks for each parameter by its
// Hugging Face name and gets a tensor of the type it wants, or the codes that bitsandbytes stored;
// where the bytes lie, GGUF's block types and in which order it keeps the rows stays in here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/weights/precision.h"

#include "weights/checkpoint/decoder_config.h"
#include "weights/checkpoint/staging.h"
#include "weights/checkpoint/stored_tensor.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::weights {

class Checkpoint {
 public:
  // Opens what locate() found: a folder with config.json or a .gguf file. Reads headers only, and
  // checks them both ways: every parameter of the configuration is there in its shape and a
  // readable type, and the files hold no tensor that is none of them. Throws ModelError naming
  // file, tensor or key, expected and found.
  static Checkpoint open(const std::filesystem::path& path);
  ~Checkpoint();
  Checkpoint(Checkpoint&&) noexcept;
  Checkpoint& operator=(Checkpoint&&) noexcept;

  const DecoderConfig& config() const;

  bool has(std::string_view name) const;

  // How the parameter is stored: None for what load() and load_rows() give.
  Quantization quantization_of(std::string_view name) const;

  // How the linear layers of the decoder blocks are kept in memory if `asked` is asked for: as they
  // are stored where that is quantised. Throws ModelError if they are stored quantised in another
  // way than asked for.
  Quantization quantization(Quantization asked) const;

  // How this parameter is kept in memory then; None for all that is no linear layer of a block, and
  // for those that a quantised checkpoint leaves out.
  Quantization quantization_of(std::string_view name, Quantization asked) const;

  // From now on the parameters are asked for in the order of parameters_of(config()): a thread of
  // its own reads ahead. What has been loaded is let go.
  void start_reading();

  // The parameter `name`, e.g. "model.layers.0.self_attn.q_proj.weight", as a contiguous CPU tensor
  // of its own memory, dequantised and converted (round to nearest even) on all threads of ATen's
  // pool. Throws ModelError (file, tensor, expected, found) if it is missing or of another shape.
  at::Tensor load(std::string_view name, std::span<const std::int64_t> shape, DType dtype);

  // The same into a contiguous tensor of a floating type, [its shape], on the staging's device.
  void load_into(std::string_view name, const at::Tensor& target, Staging& staging);

  // A parameter that is stored quantised, on the CPU.
  QuantizedWeight load_quantized(std::string_view name, std::span<const std::int64_t> shape);

  // The same on the staging's device.
  QuantizedWeight load_quantized(std::string_view name,
                                 std::span<const std::int64_t> shape,
                                 Staging& staging);

  // Throws ModelError naming the parameters that have not been loaded.
  void check_all_loaded() const;

  // Elements of all parameters; a tied head counts once.
  std::int64_t n_parameters() const;

  // Recognises the weights without reading them all: XXH3 over config.json (or the GGUF header),
  // every file's safetensors header and size, and the first 4 KiB of every tensor. The same files
  // give the same fingerprint in any folder.
  std::string fingerprint() const;

 private:
  struct Files;
  explicit Checkpoint(std::unique_ptr<Files> files);
  const StoredTensor& find(std::string_view name) const;
  std::vector<const StoredTensor*> tensors_of(std::string_view name) const;
  void set_loaded(std::string_view name);

  std::unique_ptr<Files> files_;
};

}  // namespace labelprobe::weights
