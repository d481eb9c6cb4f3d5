#include "model/engine/kv_arena.h"

#include <cstring>
#include <iterator>
#include <new>

#include <ATen/Functions.h>
#include <ATen/record_function.h>

#include "labelprobe/core/error.h"

namespace labelprobe::model {
namespace {

// A few rows to scattered places: index_copy_() would take longer to set up than to copy.
void copy_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) {
  const auto n_bytes = static_cast<std::size_t>(to.stride(0)) * to.element_size();
  const std::int64_t stride = from.stride(0) * static_cast<std::int64_t>(from.element_size());
  const auto* source = static_cast<const char*>(from.const_data_ptr());
  auto* target = static_cast<char*>(to.mutable_data_ptr());
  const std::int64_t* row = rows.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < from.size(0); ++i) {
    std::memcpy(target + static_cast<std::size_t>(row[i]) * n_bytes, source + i * stride, n_bytes);
  }
}

bool has_whole_rows(const at::Tensor& x) {
  return x.is_cpu() && x.stride(2) == 1 && x.stride(1) == x.size(2);
}

void write_rows(const at::Tensor& from, const at::Tensor& rows, const at::Tensor& to) {
  if (has_whole_rows(from) && from.scalar_type() == to.scalar_type()) {
    copy_rows(from, rows, to);
  } else {
    to.index_copy_(0, rows, from.to(to.scalar_type()));
  }
}

}  // namespace

RowRanges::RowRanges(std::int64_t n_rows) : n_free_(n_rows) {
  if (n_rows > 0) holes_[0] = n_rows;
}

std::optional<std::int64_t> RowRanges::reserve(std::int64_t n) {
  LABELPROBE_CHECK(n > 0);
  for (auto hole = holes_.begin(); hole != holes_.end(); ++hole) {
    const auto [first, n_there] = *hole;
    if (n_there < n) continue;
    holes_.erase(hole);
    if (n_there > n) holes_[first + n] = n_there - n;
    n_free_ -= n;
    return first;
  }
  return std::nullopt;
}

void RowRanges::release(std::int64_t first, std::int64_t n) {
  LABELPROBE_CHECK(n > 0 && first >= 0);
  n_free_ += n;
  auto next = holes_.lower_bound(first);
  LABELPROBE_CHECK(next == holes_.end() || first + n <= next->first);
  if (next != holes_.end() && next->first == first + n) {
    n += next->second;
    next = holes_.erase(next);
  }
  if (next != holes_.begin()) {
    const auto before = std::prev(next);
    LABELPROBE_CHECK(before->first + before->second <= first);
    if (before->first + before->second == first) {
      before->second += n;
      return;
    }
  }
  holes_[first] = n;
}

KvArena::KvArena(const Placement& placement,
                 int n_layers,
                 std::int64_t n_rows,
                 std::int64_t n_kv_heads,
                 std::int64_t head_dim,
                 at::ScalarType type)
    : ranges_(n_rows), n_rows_(n_rows) {
  for (std::size_t part = 0; part < placement.devices().size(); ++part) {
    const int n_here = placement.n_layers_of(part, n_layers);
    const auto options = at::TensorOptions().dtype(type).device(placement.devices()[part]);
    const at::Tensor keys = at::empty({n_here, n_rows, n_kv_heads, head_dim}, options);
    const at::Tensor values = at::empty_like(keys);
    for (int layer = 0; layer < n_here; ++layer) {
      keys_.push_back(keys[layer]);
      values_.push_back(values[layer]);
    }
  }
}

std::int64_t KvArena::reserve(std::int64_t n) {
  const std::optional<std::int64_t> first = ranges_.reserve(n);
  if (!first) throw std::bad_alloc();
  return *first;
}

void KvArena::write(int layer,
                    std::int64_t first,
                    const at::Tensor& keys,
                    const at::Tensor& values) {
  this->keys(layer).narrow(0, first, keys.size(0)).copy_(keys);
  this->values(layer).narrow(0, first, values.size(0)).copy_(values);
}

void KvArena::write(int layer,
                    const at::Tensor& rows,
                    const at::Tensor& keys,
                    const at::Tensor& values) {
  RECORD_FUNCTION("labelprobe::write_arena", {});
  write_rows(keys, rows, this->keys(layer));
  write_rows(values, rows, this->values(layer));
}

}  // namespace labelprobe::model
