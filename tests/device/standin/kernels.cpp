// Our own kernels on the stand-in: their source, compiled for the host (host_threads.h). A launch's
// arguments hold addresses of device memory, which are replaced by those where the host may read.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <tuple>
#include <utility>

#include "model/cuda/kernel_list.h"
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
requires(std::is_arithmetic_v<T>) void to_host(T&) {}

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
std::tuple<Arguments...> taken(void (*)(Arguments...),
                               void** arguments,
                               std::index_sequence<kIndices...>) {
  return {*static_cast<Arguments*>(arguments[kIndices])...};
}

template <typename... Arguments>
standin::HostKernel on_host(void (*kernel)(Arguments...), const KernelNeeds& needs) {
  const std::size_t n_floats = static_cast<std::size_t>(needs.shared_bytes) / sizeof(float);
  return [kernel, n_threads = needs.n_threads, n_floats](void** arguments, ::dim3 grid) {
    auto own = taken(kernel, arguments, std::index_sequence_for<Arguments...>());
    std::apply([](auto&... each) { (to_host(each), ...); }, own);
    return [=] {
      launch_on_host({grid.x, grid.y}, n_threads, n_floats, [&] { std::apply(kernel, own); });
    };
  };
}

// In place of read_rows(): the same token in every row, where nothing is computed.
void read_nothing(const ReadArguments<float>& a, unsigned n_rows) {
  constexpr double kToken = 300;
  const int n = kFirstTopOfReading + 2 * a.n_top + a.n_watched;
  for (unsigned row = 0; row < n_rows; ++row) {
    double* readings = a.readings + std::size_t{row} * static_cast<unsigned>(n);
    std::fill_n(readings, n, 0.0);
    std::fill_n(readings + kFirstTopOfReading, a.n_top, kToken);
  }
}

std::function<void()> without_numbers(const std::string& name, void** arguments, ::dim3 grid) {
  if (name.find("read_rows") == std::string::npos) return [] {};
  auto own = *static_cast<const ReadArguments<float>*>(arguments[0]);
  to_host(own);
  return [own, grid] { read_nothing(own, grid.x); };
}

const bool are_added = [] {
  visit_kernels([](const std::string& name, auto* kernel, const KernelNeeds& needs) {
    standin::HostKernel host = on_host(kernel, needs);
    if (!standin::has_numbers()) {
      host = [name](void** arguments, ::dim3 grid) {
        return without_numbers(name, arguments, grid);
      };
    }
    standin_set_kernel(("labelprobe::model::cuda::" + name).c_str(), &host);
  });
  return true;
}();

}  // namespace
}  // namespace labelprobe::model::cuda
