#include "weights/checkpoint/tensor_loading.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "labelprobe/core/error.h"

#include "weights/device/dtype.h"
#include "weights/packed/block_codes.h"
#include "weights/packed/packed_weight.h"

namespace labelprobe::weights {
namespace {

// To start a thread takes about as long as to dequantise a tenth of that many.
constexpr std::int64_t kMinElementsPerThread = 1 << 20;

// Calls body(first, end) for as many runs of rows as ATen uses threads. Own threads, because ATen's
// parallel loops need this file to be compiled against the OpenMP runtime inside the torch wheel.
template <class Body>
void for_rows(std::int64_t n_rows, std::int64_t n_columns, const Body& body) {
  if (n_rows == 0) {
    return;
  }
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

// Rows of a block type.
template <class Element>
void dequantize_rows(const StoredTensor& stored, std::int64_t first_row, const at::Tensor& rows) {
  const std::int64_t n_columns = stored.shape.back();
  const files::BlockLayout layout = *files::block_layout(*stored.type);
  const std::int64_t row_bytes = n_columns / layout.n_elements * layout.n_bytes;
  const RowOrder order = row_order(stored);
  Element* out = rows.mutable_data_ptr<Element>();
  for_rows(rows.numel() / n_columns, n_columns, [&](std::int64_t first, std::int64_t end) {
    std::vector<float> row(std::is_same_v<Element, float> ? 0 : n_columns);
    for (std::int64_t i = first; i < end; ++i) {
      const std::byte* source = stored.bytes.data() + order.stored_row(first_row + i) * row_bytes;
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
}

// Rows as they are into memory of their own type.
void copy_rows(const StoredTensor& stored, std::int64_t first_row, const at::Tensor& rows) {
  auto* out = static_cast<std::byte*>(rows.mutable_data_ptr());
  const std::int64_t n_rows = rows.size(0);
  const std::size_t row_bytes = rows.nbytes() / static_cast<std::size_t>(n_rows);
  const RowOrder order = row_order(stored);
  for_rows(n_rows, static_cast<std::int64_t>(row_bytes), [&](std::int64_t first, std::int64_t end) {
    if (order.n_rows_per_head == 0) {
      std::memcpy(out + static_cast<std::size_t>(first) * row_bytes,
                  stored.bytes.data() + static_cast<std::size_t>(first_row + first) * row_bytes,
                  static_cast<std::size_t>(end - first) * row_bytes);
      return;
    }
    for (std::int64_t i = first; i < end; ++i) {
      const auto source = static_cast<std::size_t>(order.stored_row(first_row + i));
      std::memcpy(out + static_cast<std::size_t>(i) * row_bytes,
                  stored.bytes.data() + source * row_bytes, row_bytes);
    }
  });
}

std::optional<c10::ScalarType> plain_type(files::GgmlType type) {
  switch (type) {
    case files::GgmlType::F32:
      return at::kFloat;
    case files::GgmlType::F16:
      return at::kHalf;
    case files::GgmlType::BF16:
      return at::kBFloat16;
    case files::GgmlType::F64:
      return at::kDouble;
    default:
      return std::nullopt;
  }
}

// Rows that are in order and aligned, converted without a copy in between.
bool convert_in_place(const StoredTensor& stored,
                      c10::ScalarType type,
                      std::int64_t first_row,
                      const at::Tensor& rows) {
  const auto element_size = static_cast<std::int64_t>(c10::elementSize(type));
  const std::int64_t n_per_row = rows.numel() / rows.size(0);
  const std::byte* first = stored.bytes.data() + first_row * n_per_row * element_size;
  if (stored.n_interleaved_heads > 0 ||
      reinterpret_cast<std::uintptr_t>(first) % static_cast<std::size_t>(element_size) != 0) {
    return false;
  }
  // ATen knows no tensors of constant memory; this one is only read.
  rows.copy_(at::from_blob(const_cast<std::byte*>(first), rows.sizes(), at::TensorOptions(type)));
  return true;
}

// A part of a larger tensor, number by number.
void gather_rows(const StoredTensor& stored,
                 c10::ScalarType type,
                 std::int64_t first_row,
                 const at::Tensor& rows) {
  const at::Tensor gathered = at::empty(rows.sizes(), at::TensorOptions(type));
  const auto size = static_cast<std::int64_t>(c10::elementSize(type));
  const std::int64_t n_columns = rows.numel() / rows.size(0);
  const std::int64_t step = stored.number_stride > 0 ? stored.number_stride : size;
  auto* out = static_cast<std::byte*>(gathered.mutable_data_ptr());
  for_rows(rows.size(0), n_columns, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t i = first; i < end; ++i) {
      const std::byte* source = stored.bytes.data() + (first_row + i) * stored.row_stride;
      for (std::int64_t column = 0; column < n_columns; ++column) {
        std::memcpy(out + (i * n_columns + column) * size, source + column * step,
                    static_cast<std::size_t>(size));
      }
    }
  });
  rows.copy_(gathered);
}

void gather_mxfp4_rows(const StoredTensor& stored, std::int64_t first_row, const at::Tensor& rows) {
  const std::int64_t n_columns = stored.shape.back();
  const at::Tensor gathered = at::empty(rows.sizes(), at::TensorOptions(at::kFloat));
  float* out = gathered.mutable_data_ptr<float>();
  for_rows(rows.size(0), n_columns, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t row = first_row + i;
      dequantize_mxfp4(stored.bytes.data() + row * stored.row_stride,
                       stored.scales.data() + row * stored.scale_stride, n_columns,
                       out + i * n_columns);
    }
  });
  rows.copy_(gathered);
}

}  // namespace

void load_rows(const StoredTensor& stored, std::int64_t first_row, const at::Tensor& rows) {
  LABELPROBE_CHECK(stored.type && !stored.shape.empty() && stored.shape.size() <= 2);
  const bool is_matrix = stored.shape.size() == 2;
  LABELPROBE_CHECK(rows.dim() == static_cast<std::int64_t>(stored.shape.size()) &&
                   rows.is_contiguous() && first_row >= 0 &&
                   first_row + rows.size(0) <= stored.shape[0] &&
                   (!is_matrix || rows.size(1) == stored.shape[1]));
  if (rows.numel() == 0) {
    return;
  }
  if (!stored.scales.empty()) {
    return gather_mxfp4_rows(stored, first_row, rows);
  }
  if (const auto type = plain_type(*stored.type)) {
    if (stored.row_stride > 0) {
      gather_rows(stored, *type, first_row, rows);
    } else if (*type == rows.scalar_type()) {
      copy_rows(stored, first_row, rows);
    } else if (!convert_in_place(stored, *type, first_row, rows)) {
      const at::Tensor copied = at::empty(rows.sizes(), at::TensorOptions(*type));
      copy_rows(stored, first_row, copied);
      rows.copy_(copied);
    }
    return;
  }
  // A vector of blocks is one row, which has no beginning to leave out.
  LABELPROBE_CHECK(is_matrix || (first_row == 0 && rows.size(0) == stored.shape[0]));
  switch (rows.scalar_type()) {
    case at::kFloat:
      return dequantize_rows<float>(stored, first_row, rows);
    case at::kBFloat16:
      return dequantize_rows<c10::BFloat16>(stored, first_row, rows);
    case at::kHalf:
      return dequantize_rows<c10::Half>(stored, first_row, rows);
    default:
      LABELPROBE_CHECK(!"a dtype of the enumeration");
  }
}

void copy_bytes(std::span<const std::byte> from, std::byte* to) {
  for_rows(static_cast<std::int64_t>(from.size()), 1, [&](std::int64_t first, std::int64_t end) {
    std::memcpy(to + first, from.data() + first, static_cast<std::size_t>(end - first));
  });
}

bool holds_codes(const StoredTensor& stored) {
  return stored.type && has_codes(*stored.type) && stored.shape.size() == 2 &&
         stored.row_stride == 0 && stored.scales.empty();
}

at::Tensor load_blocks(const StoredTensor& stored) {
  LABELPROBE_CHECK(holds_codes(stored));
  const at::Tensor blocks =
      at::empty({stored.shape[0], packed_row_bytes(*stored.type, stored.shape[1])}, at::kByte);
  LABELPROBE_CHECK(blocks.nbytes() == stored.bytes.size());
  copy_rows(stored, 0, blocks);
  return blocks;
}

at::Tensor load_tensor(const StoredTensor& stored, DType dtype) {
  const at::Tensor result = at::empty(stored.shape, at::TensorOptions(scalar_type(dtype)));
  load_rows(stored, 0, result);
  return result;
}

}  // namespace labelprobe::weights
