#include "model/cost/share_sizes.h"

#include <utility>

#include "model/parallel/share.h"
#include "weights/device/dtype.h"
#include "weights/families/parameters.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::model {
namespace cost {
namespace {

std::size_t weight_bytes(const PlannedModel& model, const Share& share) {
  std::size_t n_bytes = 0;
  for (weights::Parameter part : weights::parameters_of(model.config)) {
    const weights::RowRanges rows = rows_of(model.config, share, part);
    if (!rows.empty()) part.shape[0] = weights::n_rows_of(rows);
    if (model.info.quantization == Quantization::None || !part.is_block_linear()) {
      n_bytes +=
          static_cast<std::size_t>(part.n_elements()) * weights::dtype_bytes(model.info.dtype);
      continue;
    }
    // Its absmax becomes float32 where rows are taken out of the matrix.
    const Quantization kept_as = model.info.quantization == Quantization::Nf4Double && !rows.empty()
                                     ? Quantization::Nf4
                                     : model.info.quantization;
    n_bytes += weights::quantized_bytes(part.shape[0], part.shape[1], kept_as);
  }
  return n_bytes;
}

// Attended heads, both parts' results and the inner layer: what the share lacks of each.
std::size_t received_bytes(const PlannedModel& model, const Share& share) {
  const weights::DecoderConfig& config = model.config;
  std::int64_t n_numbers = config.hidden_size;  // the embedding, of which all parts come
  for (int layer = 0; layer < config.n_layers; ++layer) {
    n_numbers += (config.n_heads - share.heads.n) * config.head_dim;
    n_numbers += 2 * (config.hidden_size - share.hidden.n);
    n_numbers +=
        config.experts.are_in(layer)
            ? config.experts.n_per_token * (config.experts.intermediate_size - share.expert_inner.n)
            : config.intermediate_size - share.inner.n;
  }
  return static_cast<std::size_t>(n_numbers) * weights::dtype_bytes(model.info.dtype);
}

}  // namespace

std::vector<ShareSizes> sizes_of(const PlannedModel& model, int n_processes) {
  std::vector<ShareSizes> all;
  for (const Share& share : divide_model(model.config, n_processes)) {
    const auto n_key_heads = static_cast<std::size_t>(share.key_heads.n);
    all.push_back({static_cast<int>(share.heads.n), static_cast<int>(share.key_heads.n),
                   weight_bytes(model, share),
                   model.info.cache_bytes_per_token /
                       static_cast<std::size_t>(model.config.n_kv_heads) * n_key_heads,
                   received_bytes(model, share)});
  }
  return all;
}

PlannedModel first_share(const PlannedModel& model, int n_processes) {
  if (n_processes == 1) return model;
  const Share share = divide_model(model.config, n_processes).front();
  const ShareSizes sizes = sizes_of(model, n_processes).front();
  PlannedModel part = model;
  part.config = part_of(model.config, share);
  // Rows of the down projection by the whole inner layer are as many products as all of its rows by
  // a part of that.
  part.config.intermediate_size = static_cast<int>(share.inner.n);
  part.config.experts.intermediate_size = static_cast<int>(share.expert_inner.n);
  part.config.vocab_size = static_cast<int>(share.vocabulary.n);
  part.info.weight_bytes = sizes.weight_bytes;
  part.info.cache_bytes_per_token = sizes.cache_bytes_per_token;
  part.disk_bytes *=
      static_cast<double>(sizes.weight_bytes) / static_cast<double>(model.info.weight_bytes);
  return part;
}

}  // namespace cost

std::vector<ShareSizes> share_sizes(const std::string& model,
                                    DType dtype,
                                    Quantization quantization,
                                    int n_processes) {
  return cost::sizes_of(cost::planned_model(model, dtype, quantization), n_processes);
}

}  // namespace labelprobe::model
