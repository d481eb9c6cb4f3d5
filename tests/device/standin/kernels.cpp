// Our own kernels on the stand-in: their source, compiled for the host (host_threads.h). A launch's
// arguments hold addresses of device memory, which are replaced by those where the host may read.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <tuple>
#include <utility>

#include "model/cuda/attention_kernels.h"
#include "model/cuda/quantized_kernels.h"
#include "model/cuda/reading_kernel.h"
#include "model/cuda/row_kernels.h"

#include "world.h"

namespace labelprobe::model::cuda {
namespace {

template <typename T>
void to_host(T*& address) {
  if (!address) return;
  char* alias = standin_alias(address);
  if (!alias) {
    standin_complain("a kernel was given an address of the host");
    std::abort();
  }
  address = reinterpret_cast<T*>(alias);
}

template <typename T>
  requires(std::is_arithmetic_v<T>)
void to_host(T&) {}

template <typename... Addresses>
void all_to_host(Addresses&... addresses) {
  (to_host(addresses), ...);
}

template <typename T>
void to_host(AttendArguments<T>& a) {
  all_to_host(a.queries, a.keys, a.values, a.items, a.n_steps, a.runs, a.n_seen, a.parts, a.logs);
}

template <typename T>
void to_host(MergeArguments<T>& a) {
  all_to_host(a.parts, a.logs, a.first_parts, a.part_ids, a.result);
  for (auto& values : a.level_values) to_host(values);
  for (auto& logs : a.level_logs) to_host(logs);
}

template <typename T>
void to_host(RotateArguments<T>& a) {
  all_to_host(a.heads, a.cosines, a.sines, a.keys, a.values, a.arena_rows);
}

template <typename T>
void to_host(Dequantize4BitArguments<T>& a) {
  all_to_host(a.codes, a.absmax, a.absmax_codes, a.absmax_levels, a.outer_absmax, a.result);
}

template <typename T>
void to_host(ReadArguments<T>& a) {
  if (a.n_watched == 0) a.watched = nullptr;  // an empty tensor's address is nobody's
  all_to_host(a.logits, a.watched, a.readings);
}

// A kernel's arguments as a tuple, without references to what the launch has on its stack.
template <typename... Arguments, std::size_t... kIndices>
std::tuple<Arguments...> taken(void (*)(Arguments...), void** arguments, std::index_sequence<kIndices...>) {
  return {*static_cast<Arguments*>(arguments[kIndices])...};
}

template <auto kKernel, int kThreads, std::size_t kSharedFloats, typename... Arguments>
std::function<void()> launched(void (*kernel)(Arguments...), void** arguments, ::dim3 grid) {
  auto own = taken(kernel, arguments, std::index_sequence_for<Arguments...>());
  std::apply([](auto&... each) { (to_host(each), ...); }, own);
  return [own, grid] {
    launch_on_host({grid.x, grid.y}, kThreads, kSharedFloats, [&] { std::apply(kKernel, own); });
  };
}

template <auto kKernel, int kThreads, std::size_t kSharedFloats = 0>
void add(const std::string& name) {
  standin_set_kernel(("labelprobe::model::cuda::" + name).c_str(), [](void** arguments, ::dim3 grid) {
    return launched<kKernel, kThreads, kSharedFloats>(kKernel, arguments, grid);
  });
}

template <typename T, int kQueries, int kKeys, int kHead>
void add_attention(const std::string& type) {
  using Tile = AttendTile<kQueries, kKeys, kHead>;
  add<attend_items<T, kQueries, kKeys, kHead>, kAttendThreads, Tile::kFloats>(
      "attend_items<" + type + ", " + std::to_string(kQueries) + ", " + std::to_string(kKeys) + ", " +
      std::to_string(kHead) + ">");
}

template <typename T>
void add_kernels(const std::string& type) {
  add_attention<T, kWideTile, 64, 64>(type);
  add_attention<T, kWideTile, 64, 128>(type);
  add_attention<T, kWideTile, 32, 256>(type);
  add_attention<T, kNarrowTile, 64, 64>(type);
  add_attention<T, kNarrowTile, 64, 128>(type);
  add_attention<T, kNarrowTile, 32, 256>(type);
  add<merge_parts<T>, kMergeThreads>("merge_parts<" + type + ">");
  add<rms_norm_rows<T>, kRowThreads>("rms_norm_rows<" + type + ">");
  add<rotate_rows<T>, kRowThreads>("rotate_rows<" + type + ">");
  add<gate_rows<T>, kRowThreads>("gate_rows<" + type + ">");
  add<dequantize_4bit<T>, kDequantizeThreads>("dequantize_4bit<" + type + ">");
  add<dequantize_rows<T>, kDequantizeThreads>("dequantize_rows<" + type + ">");
}

const bool are_added = [] {
  add_kernels<float>("float");
  add_kernels<Bf16>("__nv_bfloat16");
  add_kernels<Fp16>("__half");
  add<read_rows<float>, kReadThreads>("read_rows<float>");
  return true;
}();

}  // namespace
}  // namespace labelprobe::model::cuda
