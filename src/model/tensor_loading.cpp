#include "tensor_loading.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "labelprobe/core/error.h"

#include "dequantize.h"
#include "dtype.h"

namespace labelprobe::model {
namespace {

constexpr std::int64_t kMinElementsPerThread = 1 << 16;

// Calls body(first, end) for as many runs of rows as ATen uses threads. Own threads, because ATen's
// parallel loops need this file to be compiled against the OpenMP runtime inside the torch wheel.
template <class Body>
void for_rows(std::int64_t n_rows, std::int64_t n_columns, const Body& body) {
  const std::int64_t n_useful = n_rows * n_columns / kMinElementsPerThread;
  const std::int64_t n_threads =
      std::clamp<std::int64_t>(std::min<std::int64_t>(n_useful, at::get_num_threads()), 1, n_rows);
  std::vector<std::jthread> threads;
  for (std::int64_t i = 1; i < n_threads; ++i) {
    threads.emplace_back(
        [=, &body] { body(n_rows * i / n_threads, n_rows * (i + 1) / n_threads); });
  }
  body(0, n_rows / n_threads);
}

// Where a row of the result is stored.
struct RowOrder {
  std::int64_t n_rows_per_head;  // 0: rows are in order

  std::int64_t stored_row(std::int64_t row) const {
    if (n_rows_per_head == 0) {
      return row;
    }
    const std::int64_t in_head = row % n_rows_per_head;
    const std::int64_t half = n_rows_per_head / 2;
    return row - in_head + 2 * (in_head % half) + in_head / half;
  }
};

RowOrder row_order(const StoredTensor& stored) {
  if (stored.n_interleaved_heads == 0) {
    return {0};
  }
  const std::int64_t n_rows_per_head = stored.shape[0] / stored.n_interleaved_heads;
  LABELPROBE_CHECK(n_rows_per_head * stored.n_interleaved_heads == stored.shape[0] &&
                   n_rows_per_head % 2 == 0);
  return {n_rows_per_head};
}

template <class Element>
at::Tensor dequantized(const StoredTensor& stored, c10::ScalarType scalar) {
  const std::int64_t n_columns = stored.shape.back();
  const std::int64_t n_rows = stored.shape.size() == 2 ? stored.shape[0] : 1;
  const BlockLayout layout = *block_layout(*stored.type);
  const std::int64_t row_bytes = n_columns / layout.n_elements * layout.n_bytes;
  const RowOrder order = row_order(stored);
  const at::Tensor result = at::empty(stored.shape, at::TensorOptions(scalar));
  Element* out = result.mutable_data_ptr<Element>();
  for_rows(n_rows, n_columns, [&](std::int64_t first, std::int64_t end) {
    std::vector<float> row(std::is_same_v<Element, float> ? 0 : n_columns);
    for (std::int64_t i = first; i < end; ++i) {
      const std::byte* source = stored.bytes.data() + order.stored_row(i) * row_bytes;
      Element* target = out + i * n_columns;
      if constexpr (std::is_same_v<Element, float>) {
        dequantize_row(*stored.type, source, n_columns, target);
      } else {
        dequantize_row(*stored.type, source, n_columns, row.data());
        std::transform(row.begin(), row.end(), target,
                       [](float number) { return static_cast<Element>(number); });
      }
    }
  });
  return result;
}

// Rows copied into place as they are.
at::Tensor copied(const StoredTensor& stored, c10::ScalarType scalar) {
  const at::Tensor result = at::empty(stored.shape, at::TensorOptions(scalar));
  auto* out = static_cast<std::byte*>(result.mutable_data_ptr());
  const std::int64_t n_rows = stored.shape[0];
  const auto row_bytes =
      static_cast<std::size_t>(result.nbytes()) / static_cast<std::size_t>(n_rows);
  const RowOrder order = row_order(stored);
  for_rows(n_rows, static_cast<std::int64_t>(row_bytes), [&](std::int64_t first, std::int64_t end) {
    if (order.n_rows_per_head == 0) {
      const auto offset = static_cast<std::size_t>(first) * row_bytes;
      std::memcpy(out + offset, stored.bytes.data() + offset,
                  static_cast<std::size_t>(end - first) * row_bytes);
      return;
    }
    for (std::int64_t i = first; i < end; ++i) {
      std::memcpy(out + static_cast<std::size_t>(i) * row_bytes,
                  stored.bytes.data() + static_cast<std::size_t>(order.stored_row(i)) * row_bytes,
                  row_bytes);
    }
  });
  return result;
}

std::optional<c10::ScalarType> plain_type(GgmlType type) {
  switch (type) {
    case GgmlType::F32:
      return at::kFloat;
    case GgmlType::F16:
      return at::kHalf;
    case GgmlType::BF16:
      return at::kBFloat16;
    default:
      return std::nullopt;
  }
}

}  // namespace

at::Tensor load_tensor(const StoredTensor& stored, DType dtype) {
  LABELPROBE_CHECK(stored.type && !stored.shape.empty() && stored.shape.size() <= 2 &&
                   stored.shape[0] > 0);
  if (const auto plain = plain_type(*stored.type)) {
    return copied(stored, *plain).to(scalar_type(dtype));
  }
  switch (dtype) {
    case DType::Float32:
      return dequantized<float>(stored, at::kFloat);
    case DType::BFloat16:
      return dequantized<c10::BFloat16>(stored, at::kBFloat16);
    case DType::Float16:
      return dequantized<c10::Half>(stored, at::kHalf);
  }
  LABELPROBE_CHECK(!"a dtype of the enumeration");
}

}  // namespace labelprobe::model
