// libtorch's operators on the stand-in: where libtorch would launch a kernel of its own, the CPU's
// operator computes the same when the stream comes to it, from the memory where the host may read.
// What operators only look at (sizes, strides, types) is found at once, on tensors without memory.
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "world.h"

namespace {

using c10::IValue;
using Stack = torch::jit::Stack;

// Where a tensor of the device lies, without holding its memory: it may be given away as soon as
// what uses it is queued, as on a GPU.
class View {
 public:
  explicit View(const at::Tensor& x)
      : sizes_(x.sizes().vec()), strides_(x.strides().vec()), type_(x.scalar_type()) {
    if (x.numel() == 0) return;
    address_ = standin_alias(x.const_data_ptr());
    TORCH_CHECK(address_, "a tensor of the host where one of the device belongs");
  }

  at::Tensor tensor() const {
    return address_ ? at::from_blob(address_, sizes_, strides_, at::TensorOptions(type_))
                    : at::empty_strided(sizes_, strides_, at::TensorOptions(type_));
  }

 private:
  std::vector<std::int64_t> sizes_;
  std::vector<std::int64_t> strides_;
  at::ScalarType type_;
  void* address_ = nullptr;
};

void later(const std::string& name, std::function<void()> run) {
  const std::function<void()> without_gradients = [run = std::move(run)] {
    const c10::InferenceMode no_gradients;
    run();
  };
  standin_push(c10::cuda::getCurrentCUDAStream().stream(), name.c_str(), &without_gradients);
}

void wait() {
  standin_wait(c10::cuda::getCurrentCUDAStream().stream());
}

// A tensor of the same kind somewhere else: without memory, or of zeros on the CPU.
at::Tensor stand_in_for(const at::Tensor& x, c10::Device device) {
  if (!x.defined() || (x.is_cpu() && x.dim() == 0)) return x;
  at::Tensor other =
      at::empty_strided(x.sizes(), x.strides(), x.options().device(device).pinned_memory(false));
  if (device.is_cpu()) other.zero_();
  if (x.unsafeGetTensorImpl()->is_wrapped_number()) {
    other.unsafeGetTensorImpl()->set_wrapped_number(true);
  }
  return other;
}

// A copy of the argument in which every tensor is replaced.
IValue with_tensors(const IValue& argument,
                    const std::function<at::Tensor(const at::Tensor&)>& replace) {
  if (argument.isTensor()) return replace(argument.toTensor());
  if (argument.isTensorList()) {
    c10::List<at::Tensor> list;
    for (const at::Tensor& x : argument.toTensorVector()) list.push_back(replace(x));
    return list;
  }
  if (argument.isList() && argument.toListRef().size() > 0) {
    c10::List<std::optional<at::Tensor>> list;
    bool has_tensors = false;
    for (const IValue& each : argument.toListRef()) {
      has_tensors |= each.isTensor();
      if (!each.isTensor() && !each.isNone()) return argument;
      list.push_back(each.isTensor() ? std::optional(replace(each.toTensor())) : std::nullopt);
    }
    if (has_tensors) return list;
  }
  return argument;
}

// An argument that waits for its turn: tensors of the device as views, others as they are now.
std::function<IValue()> kept(const IValue& argument) {
  std::vector<std::function<at::Tensor()>> tensors;
  with_tensors(argument, [&](const at::Tensor& x) {
    if (x.defined() && x.is_cuda()) {
      tensors.push_back([view = View(x)] { return view.tensor(); });
    } else {
      tensors.push_back([copy = x.defined() ? x.clone() : x] { return copy; });
    }
    return x;
  });
  // Tensors of the device stay out of what is kept.
  const IValue empty = with_tensors(argument, [](const at::Tensor&) { return at::Tensor(); });
  const IValue frame = tensors.empty() ? argument : empty;
  return [frame, tensors, argument_is_tensor = argument.isTensor()] {
    if (argument_is_tensor) return IValue(tensors.front()());
    std::size_t i = 0;
    return with_tensors(frame, [&](const at::Tensor&) { return tensors[i++](); });
  };
}

// What an operator returns for arguments of the same kind on another device.
Stack tried_on(const c10::OperatorHandle& op,
               const std::vector<IValue>& arguments,
               c10::Device device) {
  Stack stack;
  for (const IValue& argument : arguments) {
    stack.push_back(argument.isDevice() ? IValue(device)
                                        : with_tensors(argument, [&](const at::Tensor& x) {
                                            return stand_in_for(x, device);
                                          }));
  }
  op.callBoxed(&stack);
  return stack;
}

// Few operators cannot say what they return without computing it.
Stack kinds_of_results(const c10::OperatorHandle& op, const std::vector<IValue>& arguments) {
  static std::set<std::string> unknown;
  const std::string name = toString(op.operator_name());
  if (unknown.count(name) == 0) {
    try {
      return tried_on(op, arguments, at::kMeta);
    } catch (const c10::NotImplementedError&) {
      unknown.insert(name);
    }
  }
  return tried_on(op, arguments, at::kCPU);
}

// The tensors that an operator returns: new ones, or the arguments that it writes to.
std::vector<at::Tensor> results_of(const c10::OperatorHandle& op,
                                   const std::vector<IValue>& arguments) {
  const c10::FunctionSchema& schema = op.schema();
  std::vector<at::Tensor> results;
  for (const c10::Argument& result : schema.returns()) {
    const c10::AliasInfo* alias = result.alias_info();
    if (!alias || !alias->isWrite()) continue;
    for (std::size_t i = 0; i < schema.arguments().size(); ++i) {
      const c10::AliasInfo* own = schema.arguments()[i].alias_info();
      if (own && own->isWrite() && own->beforeSets() == alias->beforeSets()) {
        results.push_back(arguments[i].toTensor());
      }
    }
  }
  const bool writes = !results.empty();
  if (writes && !schema.arguments().back().kwarg_only()) return results;
  const Stack kinds = kinds_of_results(op, arguments);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const at::Tensor& kind = kinds[i].toTensor();
    if (writes) {
      results[i].resize_(kind.sizes());
    } else {
      results.push_back(
          at::empty_strided(kind.sizes(), kind.strides(), kind.options().device(at::kCUDA)));
    }
  }
  return results;
}

// The device of the first tensor that is on one, or the one that is asked for: where libtorch's own
// operators go on before they compute.
c10::Device device_of(const std::vector<IValue>& arguments) {
  for (const IValue& argument : arguments) {
    if (argument.isDevice() && argument.toDevice().is_cuda()) return argument.toDevice();
    if (argument.isTensor() && argument.toTensor().defined() && argument.toTensor().is_cuda()) {
      return argument.toTensor().device();
    }
    if (!argument.isTensorList()) continue;
    for (const at::Tensor& one : argument.toTensorVector()) {
      if (one.defined() && one.is_cuda()) return one.device();
    }
  }
  return c10::impl::VirtualGuardImpl(at::kCUDA).getDevice();
}

// The host is told a number, such as whether two tensors are equal: it waits.
void answer_at_once(const c10::OperatorHandle& op,
                    const std::vector<IValue>& arguments,
                    Stack* stack) {
  wait();
  for (const IValue& argument : arguments) {
    stack->push_back(with_tensors(argument, [](const at::Tensor& x) {
      return x.defined() && x.is_cuda() ? View(x).tensor() : x;
    }));
  }
  op.callBoxed(stack);
}

void compute_on_host(const c10::OperatorHandle& op, Stack* stack) {
  const std::size_t n_arguments = op.schema().arguments().size();
  const std::vector<IValue> arguments(stack->end() - static_cast<std::ptrdiff_t>(n_arguments),
                                      stack->end());
  torch::jit::drop(*stack, n_arguments);
  const c10::DeviceGuard on_device(device_of(arguments));
  const auto& returns = op.schema().returns();
  if (std::any_of(returns.begin(), returns.end(), [](const c10::Argument& each) {
        return each.type() != c10::TensorType::get();
      })) {
    answer_at_once(op, arguments, stack);
    return;
  }
  const std::vector<at::Tensor> results = results_of(op, arguments);
  std::vector<std::function<IValue()>> waiting;
  for (const IValue& argument : arguments) waiting.push_back(kept(argument));
  std::vector<View> places;
  for (const at::Tensor& result : results) places.emplace_back(result);
  later(op.schema().name(), [op, waiting, places] {
    Stack own;
    for (const auto& argument : waiting) own.push_back(argument());
    for (IValue& argument : own) {
      if (argument.isDevice()) argument = c10::Device(at::kCPU);
    }
    op.callBoxed(&own);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const at::Tensor computed = own[i].toTensor();
      const at::Tensor place = places[i].tensor();
      if (place.numel() > 0 && computed.data_ptr() != place.data_ptr()) place.copy_(computed);
    }
  });
  for (const at::Tensor& result : results) stack->push_back(result);
}

// Between device and host libtorch's own code copies, and says how the host has to wait.
at::Tensor& copy(at::Tensor& to, const at::Tensor& from, bool non_blocking) {
  const bool is_one_piece = to.scalar_type() == from.scalar_type() && to.is_contiguous() &&
                            from.is_contiguous() && to.sizes() == from.sizes();
  if (to.numel() == 0 || !to.is_cuda() || !from.is_cuda() || is_one_piece) {
    return at::native::copy_(to, from, non_blocking);
  }
  const c10::DeviceGuard on_device(from.device());
  later("aten::copy_", [to = View(to), from = View(from)] { to.tensor().copy_(from.tensor()); });
  return to;
}

// How many there are is known to the host only when they are found.
at::Tensor nonzero(const at::Tensor& x) {
  const c10::DeviceGuard on_device(x.device());
  wait();
  const at::Tensor found = at::nonzero(View(x).tensor());
  at::Tensor result = at::empty(found.sizes(), found.options().device(at::kCUDA));
  later("aten::nonzero", [found, place = View(result)] { place.tensor().copy_(found); });
  return result;
}

using FlashResult = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

// Sequences one after another: rows from first_rows[i] attend to n_keys[i] keys from first_keys[i].
FlashResult flash_attention(const at::Tensor& queries,
                            const at::Tensor& keys,
                            const at::Tensor& values,
                            const std::optional<at::Tensor>& first_rows,
                            const std::optional<at::Tensor>& first_keys,
                            std::int64_t n_most_rows,
                            std::int64_t n_most_keys,
                            double,
                            bool is_causal,
                            bool,
                            std::optional<double> scale,
                            std::optional<std::int64_t>,
                            std::optional<std::int64_t>,
                            const std::optional<at::Tensor>& n_keys,
                            const std::optional<at::Tensor>&) {
  const std::int64_t n_groups = queries.size(1) / keys.size(1);
  const auto begins_on_16_bytes = [](const at::Tensor& x) {
    return reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % 16 == 0 && x.stride(0) % 8 == 0;
  };
  TORCH_CHECK(queries.stride(2) == 1 && keys.stride(2) == 1 && queries.size(2) % 8 == 0 &&
              begins_on_16_bytes(queries) && begins_on_16_bytes(keys) &&
              begins_on_16_bytes(values));
  at::Tensor result = at::empty(queries.sizes(), queries.options());
  at::Tensor logs =
      at::empty({queries.size(1), queries.size(0)}, queries.options().dtype(at::kFloat));
  later("aten::_flash_attention_forward", [q = View(queries), k = View(keys), v = View(values),
                                           rows = View(*first_rows), places = View(*first_keys),
                                           counts = View(*n_keys), out = View(result),
                                           sums = View(logs), factor = *scale, n_groups,
                                           n_most_rows, n_most_keys, is_causal] {
    const at::Tensor ends = rows.tensor();
    for (std::int64_t i = 0; i + 1 < ends.numel(); ++i) {
      const std::int64_t first = ends[i].item<int>();
      const std::int64_t n_rows = ends[i + 1].item<int>() - first;
      const std::int64_t n = counts.tensor()[i].item<int>();
      const std::int64_t first_key = places.tensor()[i].item<int>();
      if (n_rows > n_most_rows || n > n_most_keys) {
        standin_complain("flash attention: a sequence is longer than was said");
      }
      const at::Tensor place = out.tensor().narrow(0, first, n_rows);
      const at::Tensor place_of_logs = sums.tensor().narrow(1, first, n_rows);
      if (n == 0) {
        place.fill_(0);
        place_of_logs.fill_(INFINITY);
        continue;
      }
      const auto of_keys = [&](const View& x) {
        return x.tensor().narrow(0, first_key, n).to(at::kDouble).repeat_interleave(n_groups, 1);
      };
      at::Tensor scores =
          at::einsum("qhd,khd->hqk",
                     {q.tensor().narrow(0, first, n_rows).to(at::kDouble), of_keys(k)})
              .mul(factor);
      if (is_causal) {
        scores.masked_fill_(at::ones({n_rows, n}, at::kBool).triu(n - n_rows + 1), -INFINITY);
      }
      const at::Tensor log_sums = scores.logsumexp(-1);
      place_of_logs.copy_(log_sums);
      place.copy_(
          at::einsum("hqk,khd->qhd", {(scores - log_sums.unsqueeze(-1)).exp(), of_keys(v)}));
    }
  });
  return {result, logs, at::empty({2}, at::kLong), at::empty({0}), at::empty({0})};
}

// What does not touch memory, or reaches the stand-in by functions of CUDA: libtorch's own code.
bool is_left_alone(std::string_view name) {
  for (const std::string_view left : {"aten::empty.memory_format",
                                      "aten::empty_strided",
                                      "aten::as_strided",
                                      "aten::view",
                                      "aten::_reshape_alias",
                                      "aten::view_as_real",
                                      "aten::view_as_complex",
                                      "aten::unfold",
                                      "aten::set_",
                                      "aten::resize_",
                                      "aten::is_set_to",
                                      "aten::_local_scalar_dense",
                                      "aten::record_stream",
                                      "aten::_pin_memory",
                                      "aten::is_pinned",
                                      "aten::mm",
                                      "aten::mm.out",
                                      "aten::addmm",
                                      "aten::addmm_",
                                      "aten::addmm.out",
                                      "aten::_int_mm",
                                      "aten::_int_mm.out"}) {
    if (name == left) return true;
  }
  return name.rfind("aten::set_.", 0) == 0;
}

class Silent : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

const bool are_registered = [] {
  // That operators are replaced is what we want.
  Silent silent;
  c10::WarningHandler* told = c10::WarningUtils::get_warning_handler();
  c10::WarningUtils::set_warning_handler(&silent);
  static torch::Library library(torch::Library::IMPL, "aten", c10::DispatchKey::CUDA, __FILE__,
                                __LINE__);
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    const auto op = c10::Dispatcher::singleton().findOp(name);
    if (name.name.rfind("aten::", 0) != 0 || !op || !op->hasSchema() ||
        is_left_alone(toString(name)) || !op->hasKernelForDispatchKey(c10::DispatchKey::CUDA)) {
      continue;
    }
    if (name.name == "aten::copy_" || name.name == "aten::nonzero" ||
        name.name == "aten::_flash_attention_forward") {
      continue;
    }
    library.impl(toString(name).c_str(),
                 torch::CppFunction::makeFromBoxedFunction<&compute_on_host>());
  }
  library.impl("copy_", &copy);
  library.impl("nonzero", &nonzero);
  library.impl("_flash_attention_forward", &flash_attention);
  c10::WarningUtils::set_warning_handler(told);
  return true;
}();

}  // namespace
