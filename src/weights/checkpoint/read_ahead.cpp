#include "weights/checkpoint/read_ahead.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace labelprobe::weights {
namespace {

// One request: long enough for the system to read in large pieces, short enough to notice soon that
// the window is full.
constexpr std::size_t kStepBytes = std::size_t{8} << 20;

std::size_t page_bytes() {
  static const auto n = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return n;
}

// The pages that lie in `bytes`, those at its edges included or not.
enum class Edges { Included, Left };

std::span<std::byte> pages_of(std::span<const std::byte> bytes, Edges edges) {
  const std::size_t n_page = page_bytes();
  auto first = reinterpret_cast<std::uintptr_t>(bytes.data());
  std::uintptr_t end = first + bytes.size();
  const auto down = [=](std::uintptr_t at) { return at / n_page * n_page; };
  if (edges == Edges::Included) {
    first = down(first);
    end = down(end + n_page - 1);
  } else {
    first = down(first + n_page - 1);
    end = std::max(first, down(end));
  }
  return {reinterpret_cast<std::byte*>(first), end - first};
}

}  // namespace

void fetch_pages(std::span<const std::byte> bytes) {
  const std::span<std::byte> pages = pages_of(bytes, Edges::Included);
#ifdef MADV_POPULATE_READ
  // Fails where the kernel does not know it, and where the file has been cut off: then whoever
  // needs the bytes finds out.
  if (::madvise(pages.data(), pages.size(), MADV_POPULATE_READ) == 0 || errno != EINVAL) {
    return;
  }
#endif
  ::madvise(pages.data(), pages.size(), MADV_WILLNEED);
}

ReadAhead::ReadAhead(std::vector<std::span<const std::byte>> order, std::size_t window_bytes)
    : order_(std::move(order)), window_bytes_(window_bytes) {
  for (const std::span<const std::byte> bytes : order_) {
    const std::span<std::byte> pages = pages_of(bytes, Edges::Included);
    ::madvise(pages.data(), pages.size(), MADV_SEQUENTIAL);
  }
  thread_ = std::thread([this] { run(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::let_go(std::span<const std::byte> bytes) {
  forget_pages(bytes);
  {
    const std::lock_guard lock(mutex_);
    n_let_go_ += bytes.size();
  }
  changed_.notify_all();
}

void ReadAhead::run() {
  std::size_t n_read = 0;
  for (std::span<const std::byte> bytes : order_) {
    while (!bytes.empty()) {
      const std::size_t n = std::min(kStepBytes, bytes.size());
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return is_over_ || n_read < n_let_go_ + window_bytes_; });
        if (is_over_) {
          return;
        }
      }
      fetch_pages(bytes.first(n));
      n_read += n;
      bytes = bytes.subspan(n);
    }
  }
}

void forget_pages(std::span<const std::byte> bytes) {
  const std::span<std::byte> pages = pages_of(bytes, Edges::Left);
  ::madvise(pages.data(), pages.size(), MADV_DONTNEED);
}

void expect_samples(std::span<const std::byte> bytes) {
  const std::span<std::byte> pages = pages_of(bytes, Edges::Included);
  ::madvise(pages.data(), pages.size(), MADV_RANDOM);
}

}  // namespace labelprobe::weights
