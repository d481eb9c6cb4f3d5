#include "model/engine/model_info.h"

#include "weights/device/dtype.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {
namespace {

std::size_t kept_bytes(const weights::Parameter& parameter, DType dtype, Quantization kept_as) {
  if (kept_as != Quantization::None) {
    return weights::quantized_bytes(parameter.shape[0], parameter.shape[1], kept_as);
  }
  return static_cast<std::size_t>(parameter.n_elements()) * weights::dtype_bytes(dtype);
}

}  // namespace

std::size_t share_bytes(const weights::Checkpoint& checkpoint,
                        DType dtype,
                        Quantization asked,
                        const Share& share) {
  std::size_t n_bytes = 0;
  for (weights::Parameter part : weights::parameters_of(checkpoint.config())) {
    const weights::RowRanges rows = rows_of(checkpoint.config(), share, part);
    if (!rows.empty()) part.shape[0] = weights::n_rows_of(rows);
    Quantization kept_as = checkpoint.quantization_of(part, asked);
    // Its absmax becomes float32 where rows are taken out of the matrix.
    if (kept_as == Quantization::Nf4Double && !rows.empty()) kept_as = Quantization::Nf4;
    n_bytes += kept_bytes(part, dtype, kept_as);
  }
  return n_bytes;
}

ModelInfo describe(const weights::Checkpoint& checkpoint, DType dtype, Quantization asked) {
  const weights::DecoderConfig& config = checkpoint.config();
  ModelInfo info;
  info.architecture = config.family->architecture;
  info.vocab_size = config.vocab_size;
  info.max_context = config.max_position_embeddings;
  info.attention_window = config.sliding_window;
  info.n_layers = config.n_layers;
  info.n_heads = config.n_heads;
  info.hidden_size = config.hidden_size;
  info.n_parameters = checkpoint.n_parameters();
  for (const weights::Parameter& parameter : weights::parameters_of(config)) {
    const Quantization kept_as = checkpoint.quantization_of(parameter, asked);
    info.weight_bytes += kept_as == Quantization::Gguf ? checkpoint.stored_bytes(parameter)
                                                       : kept_bytes(parameter, dtype, kept_as);
  }
  info.cache_bytes_per_token = std::size_t{2} * static_cast<std::size_t>(config.n_layers) *
                               static_cast<std::size_t>(config.n_kv_heads) *
                               static_cast<std::size_t>(config.head_dim) *
                               weights::dtype_bytes(dtype);
  info.dtype = dtype;
  info.quantization = checkpoint.quantization(asked);
  info.fingerprint = checkpoint.fingerprint();
  info.end_ids = config.end_ids;
  info.rules = config.rules;
  info.warnings = checkpoint.warnings();
  return info;
}

}  // namespace labelprobe::model
