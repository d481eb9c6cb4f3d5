// Every kernel of the module, in every type and size that it is compiled for: for tests of what the
// compiler made of them, and for whoever runs them without a GPU.
#pragma once

#include <string>

#include "model/cuda/attention_kernels.h"
#include "model/cuda/attention_tiles.h"
#include "model/cuda/quantized_kernels.h"
#include "model/cuda/reading_kernel.h"
#include "model/cuda/row_kernels.h"

namespace labelprobe::model::cuda {

// What a launch takes of a multiprocessor.
struct KernelNeeds {
  int n_threads = 0;     // of a block
  int shared_bytes = 0;  // that the launch asks for, beside those that the kernel declares
  int n_blocks = 1;      // that registers are to leave room for
};

// CUDA's names, as compilers write them.
template <typename T>
constexpr const char* kTypeName = "float";
template <>
inline constexpr const char* kTypeName<Bf16> = "__nv_bfloat16";
template <>
inline constexpr const char* kTypeName<Fp16> = "__half";

template <typename T, typename Visit>
void visit_kernels_of(const Visit& visit) {
  const auto name = [](const char* kernel, const std::string& sizes = "") {
    return std::string(kernel) + "<" + kTypeName<T> + sizes + ">";
  };
  for_each_attend_tile([&](auto tile) {
    using Tile = decltype(tile);
    const std::string sizes = ", " + std::to_string(Tile::kQueries) + ", " +
                              std::to_string(Tile::kKeys) + ", " + std::to_string(Tile::kHead);
    visit(name("attend_items", sizes), attend_items<T, Tile::kQueries, Tile::kKeys, Tile::kHead>,
          KernelNeeds{kAttendThreads, Tile::kBytes, Tile::kBlocks});
  });
  visit(name("merge_parts"), merge_parts<T>, KernelNeeds{kMergeThreads, 0, 8});
  visit(name("rms_norm_rows"), rms_norm_rows<T>, KernelNeeds{kRowThreads, 0, 4});
  visit(name("rotate_rows"), rotate_rows<T>, KernelNeeds{kRowThreads, 0, 4});
  visit(name("gate_rows"), gate_rows<T>, KernelNeeds{kRowThreads, 0, 4});
  visit(name("dequantize_4bit"), dequantize_4bit<T>, KernelNeeds{kDequantizeThreads, 0, 4});
  visit(name("dequantize_rows"), dequantize_rows<T>, KernelNeeds{kDequantizeThreads, 0, 4});
}

// Calls `visit` with the name of every kernel ("attend_items<__half, 64, 64, 128>"), the kernel
// itself and what it needs.
template <typename Visit>
void visit_kernels(const Visit& visit) {
  visit_kernels_of<float>(visit);
  visit_kernels_of<Bf16>(visit);
  visit_kernels_of<Fp16>(visit);
  visit(std::string("read_rows<float>"), read_rows<float>, KernelNeeds{kReadThreads, 0, 2});
}

}  // namespace labelprobe::model::cuda
