// The kernels of the loadable module liblabelprobe_cuda.so, by their names in libtorch's
// dispatcher; cuda/ has their source. Without the module every caller has another way.
//   T  rows   N  rows of the arena   K  key heads   G  query heads per key head   D  head size
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "weights/device/step_graph.h"

namespace labelprobe::weights {

struct CudaOperators {
  using OptionalTensor = std::optional<at::Tensor>;

  // Queries [T, K, G, D], keys and values [N, K, D], items [n, 8] (cuda/attention_item.h), of which
  // the first n_wide are wide, their runs and what their parts see; fills parts [P, K, G, D] and
  // logs [P, K, G].
  c10::TypedOperatorHandle<void(const at::Tensor& queries,
                                const at::Tensor& keys,
                                const at::Tensor& values,
                                const at::Tensor& items,
                                std::int64_t n_wide,
                                const OptionalTensor& n_steps,
                                const OptionalTensor& runs,
                                const OptionalTensor& n_seen,
                                at::Tensor parts,
                                at::Tensor logs)>
      attend_items;
  // Joins parts and levels of rows (cuda/attention_plan.h) to [T, K * G * D].
  c10::TypedOperatorHandle<at::Tensor(const at::Tensor& queries,
                                      const at::Tensor& parts,
                                      const at::Tensor& logs,
                                      at::TensorList level_values,
                                      at::TensorList level_logs,
                                      const at::Tensor& first_parts,
                                      const at::Tensor& part_ids)>
      merge_parts;
  // As rms_norm.h.
  c10::TypedOperatorHandle<at::Tensor(
      const at::Tensor& x, const at::Tensor& weight, double epsilon)>
      rms_norm;
  // Heads [T, H, D]: n_queries, then n_keys rotated ones; with an arena these keys and the values
  // after them go to its rows.
  c10::TypedOperatorHandle<void(at::Tensor heads,
                                const at::Tensor& cosines,
                                const at::Tensor& sines,
                                std::int64_t n_queries,
                                std::int64_t n_keys,
                                const OptionalTensor& keys,
                                const OptionalTensor& values,
                                const OptionalTensor& rows)>
      rotate_heads;
  // As gated_silu.h.
  c10::TypedOperatorHandle<at::Tensor(const at::Tensor& gate_up)> gated_silu;
  // As quantized_weight.h: levels, 16, say what a code means; either absmax, or its own codes.
  c10::TypedOperatorHandle<void(const at::Tensor& codes,
                                at::ArrayRef<double> levels,
                                const OptionalTensor& absmax,
                                const OptionalTensor& absmax_codes,
                                const OptionalTensor& absmax_levels,
                                const OptionalTensor& outer_absmax,
                                double offset,
                                at::Tensor result)>
      dequantize_4bit;
  c10::TypedOperatorHandle<void(
      const at::Tensor& codes, const at::Tensor& absmax, at::Tensor result)>
      dequantize_rows;
  // Per row of logits [B, V]: whether there is a NaN, the log of the sum of exp, n_top ids and
  // logits, the watched logits; float64.
  c10::TypedOperatorHandle<at::Tensor(
      const at::Tensor& logits, const at::Tensor& watched, std::int64_t n_top)>
      read_step;
};

// Null before the module is loaded, and where there is none.
const CudaOperators* cuda_operators();

// Loads the module from beside the program or its library folder; libtorch's CUDA half must be
// there already. Returns why it cannot be used, empty if it can. LABELPROBE_CUDA_KERNELS=0 in the
// environment does without, to see what they are worth.
std::string load_cuda_operators();

// Null where there is no module. LABELPROBE_CUDA_GRAPHS=0 in the environment does without.
std::unique_ptr<StepGraph> make_step_graph();

// A further function of the loadable module, by its name; null where the module is not loaded or
// was built without it.
void* cuda_module_function(const char* name);

}  // namespace labelprobe::weights
