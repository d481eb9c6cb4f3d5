#include "model/products/linear.h"

#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "labelprobe/core/error.h"

#include "model/products/add_rows.h"
#include "model/products/dot_products.h"
#include "model/products/packed_linear.h"
#include "model/products/quantized_linear.h"
#include "model/products/tile_product.h"
#include "weights/device/processor.h"

namespace labelprobe::model {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Pack = at::Tensor(const at::Tensor&, std::optional<std::int64_t>);
using Multiply = at::Tensor(const at::Tensor&,
                            const at::Tensor&,
                            const std::optional<at::Tensor>&,
                            std::string_view,
                            Scalars,
                            std::optional<std::string_view>);
using MultiplyAdd = at::Tensor(const at::Tensor&,
                               const at::Tensor&,
                               const at::Tensor&,
                               const std::optional<at::Tensor>&,
                               std::string_view);

// The operators behind torch.compile's linear layers. They have no C++ declaration, only names.
struct OneDnn {
  c10::TypedOperatorHandle<Pack> pack;
  c10::TypedOperatorHandle<Multiply> multiply;
  c10::TypedOperatorHandle<MultiplyAdd> multiply_add;
};

// The tiles of newer processors (AMX) add a row up in an order that depends on how many rows and
// threads there are: oneDNN is to do without. It looks once, at its first product.
[[maybe_unused]] const bool forbids_tiles =
    ::setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_FP16", /*overwrite=*/0) == 0;

std::optional<OneDnn> find_onednn() {
  if (!at::globalContext().hasMKLDNN()) return {};
  auto& operators = c10::Dispatcher::singleton();
  const auto pack = operators.findSchema({"mkldnn::_reorder_linear_weight", ""});
  const auto multiply = operators.findSchema({"mkldnn::_linear_pointwise", ""});
  const auto multiply_add = operators.findSchema({"mkldnn::_linear_pointwise", "binary"});
  if (!pack || !multiply || !multiply_add) return {};
  try {
    return OneDnn{pack->typed<Pack>(), multiply->typed<Multiply>(),
                  multiply_add->typed<MultiplyAdd>()};
  } catch (const c10::Error&) {
    return {};  // other arguments in this libtorch
  }
}

const std::optional<OneDnn>& onednn() {
  static const std::optional<OneDnn> found = find_onednn();
  return found;
}

// oneDNN refuses bfloat16 where the processor has no AVX-512.
bool multiplies(const OneDnn& library, at::ScalarType type) {
  try {
    const at::Tensor ones = at::ones({16, 16}, type);
    library.multiply.call(ones, library.pack.call(ones, std::nullopt), {}, "none", Scalars(), "");
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Whether a row of a product has the same bits in any company of two and more, which oneDNN does
// not promise: it holds with AVX-512, not with AVX2. Tried on a few shapes with the threads there
// are.
bool keeps_rows(const OneDnn& library, at::ScalarType type) {
  constexpr std::int64_t kRows = 65;
  for (const auto& [height, width] :
       {std::pair{96, 600}, std::pair{330, 130}, std::pair{64, 2048}}) {
    // Numbers of many bits, the same on every start.
    const auto numbers = [type](std::int64_t n_rows, std::int64_t n) {
      return at::arange(n_rows * n, at::kFloat).mul_(0.7391F).sin_().view({n_rows, n}).to(type);
    };
    const at::Tensor weight = library.pack.call(numbers(height, width), std::nullopt);
    const at::Tensor x = numbers(kRows, width);
    const auto multiply = [&](std::int64_t n) {
      return library.multiply.call(x.narrow(0, kRows - n, n).contiguous(), weight, {}, "none",
                                   Scalars(), "");
    };
    const at::Tensor all = multiply(kRows);
    for (const std::int64_t n : {2, 3, 7, 16, 33, 64}) {
      if (!at::equal(multiply(n), all.narrow(0, kRows - n, n))) return false;
    }
  }
  return true;
}

bool can_use(const OneDnn& library, at::ScalarType type) {
  return multiplies(library, type) && keeps_rows(library, type);
}

// Where it cannot, or where a row's bits would depend on its company, our own code multiplies.
bool can_reorder(at::ScalarType type, c10::Device device) {
  if (!device.is_cpu() || !onednn()) return false;
  if (type == at::kFloat) {
    static const bool has_float = can_use(*onednn(), at::kFloat);
    return has_float;
  }
  // float16 is multiplied on few processors only; where bfloat16 has no instructions, oneDNN's rows
  // depend on the number of threads.
  if (type != at::kBFloat16 || !weights::multiplies_bfloat16()) return false;
  static const bool has_bfloat16 = can_use(*onednn(), at::kBFloat16);
  return has_bfloat16;
}

bool can_reorder(const at::Tensor& weight) {
  return can_reorder(weight.scalar_type(), weight.device());
}

// oneDNN adds a single row up in another order than the same row among others.
at::Tensor at_least_two(const at::Tensor& rows) {
  return rows.size(0) == 1 ? rows.expand({2, rows.size(1)}).contiguous() : rows;
}

}  // namespace

std::string_view product_library(at::ScalarType type, c10::Device device) {
  if (can_reorder(type, device)) return "oneDNN";
  if (device.is_cpu()) return "own code";
  const bool is_lt = at::globalContext().blasPreferredBackend() == at::BlasBackend::Cublaslt;
  return is_lt ? "cuBLASLt" : "cuBLAS";
}

Linear::Linear(at::Tensor weight, std::optional<at::Tensor> bias)
    : weight_(std::move(weight)),
      bias_(std::move(bias)),
      type_(weight_.scalar_type()),
      is_reordered_(can_reorder(weight_)) {
  if (is_reordered_) weight_ = onednn()->pack.call(weight_, std::nullopt);
}

Linear::Linear(std::vector<weights::QuantizedWeight> weights,
               at::ScalarType type,
               std::optional<at::Tensor> bias)
    : quantized_(std::make_shared<QuantizedLinear>(std::move(weights), type, std::move(bias))),
      type_(type) {}

Linear::Linear(std::vector<weights::PackedWeight> weights,
               at::ScalarType type,
               const std::optional<at::Tensor>& bias)
    : packed_(std::make_shared<PackedLinear>(std::move(weights), type, bias)), type_(type) {}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  if (quantized_) return (*quantized_)(x);
  if (packed_) return (*packed_)(x);
  if (is_reordered_) {
    const at::Tensor rows = at_least_two(x.to(type_).contiguous());
    return onednn()
        ->multiply.call(rows, weight_, bias_, "none", Scalars(), "")
        .narrow(0, 0, x.size(0));
  }
  if (!weight_.is_cpu()) return at::linear(x.to(type_), weight_, bias_);
  const at::Tensor input = x.to(dot_type(type_)).contiguous();
  at::Tensor result = at::empty({x.size(0), weight_.size(0)}, input.options());
  multiply_by_tiles(
      input,
      [&](std::int64_t first, at::Tensor& rows) {
        rows.copy_(weight_.narrow(0, first, rows.size(0)));
      },
      bias_, result);
  return result;
}

at::Tensor Linear::multiply_runs(std::span<const at::Tensor> xs) const {
  if (quantized_) return quantized_->multiply_runs(xs);
  if (packed_ || weight_.is_cpu()) {
    std::vector<at::Tensor> results;
    for (const at::Tensor& x : xs) results.push_back((*this)(x));
    return at::cat(results);
  }
  std::int64_t n_rows = 0;
  for (const at::Tensor& x : xs) n_rows += x.size(0);
  // Into their places at once: putting them together would read and write all of them again.
  const at::Tensor weight = weight_.t();
  at::Tensor result = at::empty({n_rows, weight_.size(0)}, weight_.options());
  std::int64_t row = 0;
  for (const at::Tensor& x : xs) {
    at::Tensor place = result.narrow(0, row, x.size(0));
    if (bias_) {
      at::addmm_out(place, *bias_, x.to(type_), weight);
    } else {
      at::mm_out(place, x.to(type_), weight);
    }
    row += x.size(0);
  }
  return result;
}

void Linear::add_to(at::Tensor& sum, const at::Tensor& x) const {
  if (packed_) {
    packed_->add_to(sum, x);
  } else if (is_reordered_ && sum.scalar_type() == type_) {
    sum = onednn()
              ->multiply_add
              .call(at_least_two(x.contiguous()), at_least_two(sum), weight_, bias_, "add")
              .narrow(0, 0, x.size(0));
  } else if (quantized_ || is_reordered_ || weight_.is_cpu() || sum.scalar_type() != type_) {
    add_rows(sum, (*this)(x));
  } else {
    sum.addmm_(x, weight_.t());
    if (bias_) sum.add_(*bias_);
  }
}

at::Tensor Linear::rows(const at::Tensor& indices) const {
  LABELPROBE_CHECK(!quantized_);
  if (packed_) return packed_->rows(indices);
  const at::Tensor weight = is_reordered_ ? weight_.to_dense() : weight_;
  return weight.index_select(0, indices).to(at::kFloat);
}

}  // namespace labelprobe::model
