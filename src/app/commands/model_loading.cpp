#include "app/commands/model_loading.h"

#include "labelprobe/core/error.h"
#include "labelprobe/weights/locate.h"

#include "app/options/run_settings.h"

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

ModelLoading make_model_loading(const Options& options, const std::string& name_or_path) {
  ModelLoading loading;
  loading.options = make_open_options(options);
  loading.packed_copy = options.text("save_quantised");
  loading.packed_copy_place = options.place("save_quantised");
  loading.tf32_place = options.place("tf32");
  if (!loading.packed_copy.empty() && loading.options.quantization == weights::Quantization::None) {
    throw ConfigError(loading.packed_copy_place +
                      ": save_quantised needs --quant, --load-in-4bit or --load-in-8bit, which say "
                      "how to quantise");
  }
  loading.model = weights::locate(name_or_path);
  return loading;
}

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
