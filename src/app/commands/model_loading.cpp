#include "app/commands/model_loading.h"

namespace labelprobe::app {

namespace {

std::string describe(weights::Quantization quantization) {
  switch (quantization) {
    case weights::Quantization::None:
      break;
    case weights::Quantization::Fp4:
      return "FP4";
    case weights::Quantization::Nf4:
      return "NF4";
    case weights::Quantization::Nf4Double:
      return "doubly quantised NF4";
    case weights::Quantization::Int8:
      return "int8";
  }
  return "";
}

}  // namespace

std::string warn_of_idle_tf32(const ModelLoading& loading, std::string_view device) {
  const bool is_used =
      loading.options.dtype == weights::DType::Float32 && device.starts_with("cuda");
  if (!loading.options.allows_tf32 || is_used) return "";
  return loading.tf32_place +
         ": tf32 changes nothing: it is for float32 on a GPU, and this run is " +
         std::string(weights::dtype_name(loading.options.dtype)) + " on " + std::string(device);
}

std::string describe_numerics(weights::Quantization quantization, weights::DType dtype) {
  const std::string computed(weights::dtype_name(dtype));
  return quantization == weights::Quantization::None
             ? computed
             : describe(quantization) + " weights, " + computed;
}

}  // namespace labelprobe::app
