// The weights of one decoder: its configuration and the files that hold its parameters, safetensors
// or GGUF. Whoever builds the decoder asks for each parameter and gets a tensor of the type it
// wants, or the codes that bitsandbytes stored; where the bytes lie, what the files call them,
// GGUF's block types and in which order it keeps the rows stays in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "labelprobe/weights/precision.h"

#include "weights/checkpoint/row_range.h"
#include "weights/checkpoint/staging.h"
#include "weights/checkpoint/stored_tensor.h"
#include "weights/families/parameters.h"
#include "weights/packed/packed_weight.h"
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

  // From now on the adapter of that folder belongs to the weights. Weights that it changes are not
  // quantised in memory: as peft has it, they are what quantising them would leave of them, plus
  // the adapter's update. Throws as Adapter::open() does, and ModelError where the adapter says
  // that it was made for other weights. Before anything is loaded.
  void add_adapter(const std::filesystem::path& folder);

  // Where the configuration ties the head to the embedding, but the files hold another head, the
  // head is not tied.
  const DecoderConfig& config() const;

  // What its user should know, in sentences.
  const std::vector<std::string>& warnings() const;

  // How the parameter is stored: None for what load() gives. All parameters that are asked for are
  // of parameters_of(config()).
  Quantization quantization_of(const Parameter& parameter) const;

  // How the linear layers of the decoder blocks are kept in memory if `asked` is asked for: as they
  // are stored where that is quantised. Throws ModelError if they are stored quantised in another
  // way than asked for.
  Quantization quantization(Quantization asked) const;

  // How this parameter is kept in memory then; None for all that is no linear layer of a block
  // (with Gguf: that the file does not hold as codes), and for those that a quantised checkpoint
  // leaves out or an adapter changes.
  Quantization quantization_of(const Parameter& parameter, Quantization asked) const;

  // Whether its file holds matrices as codes, which Quantization::Gguf keeps as they are.
  bool can_stay_packed() const;

  // The bytes of the parameter in its file.
  std::size_t stored_bytes(const Parameter& parameter) const;

  // From now on the parameters are asked for in the order of parameters_of(config()): a thread of
  // its own reads ahead. What has been loaded is let go.
  //   rows_of  the rows that will be asked for; unset = all
  void start_reading(const std::function<RowRanges(const Parameter&)>& rows_of = {});

  // The parameter as a contiguous CPU tensor of its own memory, dequantised and converted (round to
  // nearest even) on all threads of ATen's pool.
  at::Tensor load(const Parameter& parameter, DType dtype);

  // The same into a contiguous tensor of a floating type and its shape, on the staging's device.
  void load_into(const Parameter& parameter, const at::Tensor& target, Staging& staging);

  // Some of its rows, one range below the other.
  void load_rows_into(const Parameter& parameter,
                      const RowRanges& rows,
                      const at::Tensor& target,
                      Staging& staging);

  // Whether an adapter changes the parameter.
  bool is_adapted(const Parameter& parameter) const;

  // The same for any parameter: the numbers that it has in memory if `asked` is asked for,
  // dequantised, with the adapter's update.
  void load_effective(const Parameter& parameter, Quantization asked, const at::Tensor& target);

  // A parameter that is stored quantised, on the CPU.
  QuantizedWeight load_quantized(const Parameter& parameter);

  // The same on the staging's device.
  QuantizedWeight load_quantized(const Parameter& parameter, Staging& staging);

  // A matrix that is kept as Gguf, in its own memory on the CPU; rows in the order of Hugging Face.
  PackedWeight load_packed(const Parameter& parameter);

  // Some of its rows, with the codes and absmax that they have in the whole matrix. Throws
  // ModelError as check_whole_blocks() does.
  QuantizedWeight load_quantized_rows(const Parameter& parameter,
                                      const RowRanges& rows,
                                      Staging& staging);

  // Throws ModelError naming the parameters that have not been loaded.
  void check_all_loaded() const;

  // Elements of all parameters; a tied head counts once.
  std::int64_t n_parameters() const;

  // As WeightFiles has it; with an adapter, of both.
  std::string fingerprint() const;

 private:
  struct Files;
  explicit Checkpoint(std::unique_ptr<Files> files);
  std::vector<const StoredTensor*> tensors_of(const Parameter& parameter) const;
  void set_loaded(const Parameter& parameter, const RowRanges& rows = {});
  std::vector<std::span<const std::byte>> bytes_of(const Parameter& parameter,
                                                   const RowRanges& rows) const;

  std::unique_ptr<Files> files_;
};

}  // namespace labelprobe::weights
