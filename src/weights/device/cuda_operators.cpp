#include "weights/device/cuda_operators.h"

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <fmt/format.h>

namespace labelprobe::weights {
namespace {

constexpr std::string_view kModule = "liblabelprobe_cuda.so";

// Becomes the handle of whatever signature it is assigned to.
struct Operator {
  std::string name;
  template <typename Signature>
  operator c10::TypedOperatorHandle<Signature>() const {
    return c10::Dispatcher::singleton()
        .findSchemaOrThrow(fmt::format("labelprobe::{}", name).c_str(), "")
        .typed<Signature>();
  }
};

bool is_off(const char* variable) {
  const char* wish = std::getenv(variable);
  return wish && std::string_view(wish) == "0";
}

using MakeStepGraph = StepGraph* (*)();

MakeStepGraph& loaded_graphs() {
  static MakeStepGraph make = nullptr;
  return make;
}

void*& loaded_module() {
  static void* handle = nullptr;
  return handle;
}

std::optional<CudaOperators>& loaded() {
  static std::optional<CudaOperators> operators;
  return operators;
}

// Beside the program where it was built, in the library folder where it was installed.
std::filesystem::path find_module() {
  std::error_code none;
  const std::filesystem::path folder =
      std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  for (const std::filesystem::path& place : {folder, folder / ".." / LABELPROBE_LIBRARY_FOLDER}) {
    if (std::filesystem::exists(place / kModule, none)) return place / kModule;
  }
  return {};
}

}  // namespace

const CudaOperators* cuda_operators() {
  return loaded() ? &*loaded() : nullptr;
}

std::string load_cuda_operators() {
  if (loaded()) return {};
  if (is_off("LABELPROBE_CUDA_KERNELS")) return "LABELPROBE_CUDA_KERNELS is 0";
  const std::filesystem::path module = find_module();
  if (module.empty()) return fmt::format("{} is not there", kModule);
  void* handle = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* reason = ::dlerror();
    return reason ? reason : "dlopen failed";
  }
  try {
    loaded() = CudaOperators{Operator{"attend_items"},    Operator{"merge_parts"},
                             Operator{"rms_norm"},        Operator{"rotate_heads"},
                             Operator{"gated_silu"},      Operator{"dequantize_4bit"},
                             Operator{"dequantize_rows"}, Operator{"read_step"}};
  } catch (const c10::Error& error) {
    return fmt::format("{}: {}", module.string(), error.what_without_backtrace());
  }
  loaded_module() = handle;
  loaded_graphs() = reinterpret_cast<MakeStepGraph>(::dlsym(handle, "labelprobe_make_step_graph"));
  return {};
}

void* cuda_module_function(const char* name) {
  return loaded_module() ? ::dlsym(loaded_module(), name) : nullptr;
}

std::unique_ptr<StepGraph> make_step_graph() {
  if (!loaded_graphs() || is_off("LABELPROBE_CUDA_GRAPHS")) return nullptr;
  return std::unique_ptr<StepGraph>(loaded_graphs()());
}

}  // namespace labelprobe::weights
