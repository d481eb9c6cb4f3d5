#include "weights/checkpoint/staging.h"

#include <algorithm>
#include <cstdint>

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "labelprobe/core/error.h"

namespace labelprobe::weights {
namespace {

constexpr std::size_t kPinnedBytes = std::size_t{64} << 20;

// Getting memory from the system page by page would cost as much as reading a file into it.
void prefer_large_pages(const at::Tensor& target) {
#ifdef MADV_HUGEPAGE
  const auto n_page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(target.mutable_data_ptr());
  const std::uintptr_t first = (begin + n_page - 1) / n_page * n_page;
  const std::uintptr_t end = (begin + target.nbytes()) / n_page * n_page;
  // A system without large pages says no, and nothing is lost.
  if (first < end) ::madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);
#endif
}

}  // namespace

Staging::Staging(c10::Device device, std::size_t buffer_bytes)
    : device_(device),
      buffer_bytes_(buffer_bytes > 0 || device.is_cpu() ? buffer_bytes : kPinnedBytes) {}

// The buffer as rows of the target, once its last copy is over.
at::Tensor Staging::free_rows(Buffer& buffer, std::int64_t n_rows, const at::Tensor& target) {
  if (buffer.event) buffer.event->synchronize();
  std::vector<std::int64_t> shape = target.sizes().vec();
  shape[0] = n_rows;
  const auto n_bytes = static_cast<std::int64_t>(target.nbytes()) / target.size(0) * n_rows;
  // One row may be longer than the buffer.
  if (!buffer.bytes.defined() || buffer.bytes.numel() < n_bytes) {
    const std::int64_t n_wanted = std::max(n_bytes, static_cast<std::int64_t>(buffer_bytes_));
    buffer.bytes =
        at::empty({n_wanted}, at::TensorOptions(at::kByte).pinned_memory(!device_.is_cpu()));
  }
  return buffer.bytes.narrow(0, 0, n_bytes).view(target.scalar_type()).view(shape);
}

void Staging::send(const at::Tensor& target, const Fill& fill) {
  LABELPROBE_CHECK(target.is_contiguous() && target.dim() > 0);
  if (target.numel() == 0) return;
  if (buffer_bytes_ == 0) {
    prefer_large_pages(target);
    fill(0, target);
    return;
  }
  const std::int64_t n_rows = target.size(0);
  const std::size_t row_bytes = target.nbytes() / static_cast<std::size_t>(n_rows);
  const auto n_most =
      static_cast<std::int64_t>(std::max<std::size_t>(1, buffer_bytes_ / row_bytes));
  for (std::int64_t first = 0; first < n_rows; first += n_most) {
    Buffer& buffer = buffers_[next_];
    next_ = 1 - next_;
    const std::int64_t n = std::min(n_most, n_rows - first);
    const at::Tensor rows = free_rows(buffer, n, target);
    fill(first, rows);
    target.narrow(0, first, n).copy_(rows, /*non_blocking=*/true);
    if (!device_.is_cpu()) {
      if (!buffer.event) buffer.event = std::make_unique<c10::Event>(device_.type());
      buffer.event->record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_));
    }
  }
}

QuantizedWeight to_device(const QuantizedWeight& weight, Staging& staging) {
  if (staging.device().is_cpu()) return weight;
  QuantizedWeight moved = weight;
  for (at::Tensor* part :
       {&moved.codes, &moved.absmax, &moved.absmax_codes, &moved.absmax_map, &moved.outer_absmax}) {
    if (!part->defined()) continue;
    const at::Tensor from = *part;
    *part = at::empty(from.sizes(), from.options().device(staging.device()));
    staging.send(*part, [&](std::int64_t first_row, const at::Tensor& rows) {
      rows.copy_(from.narrow(0, first_row, rows.size(0)));
    });
  }
  return moved;
}

}  // namespace labelprobe::weights
