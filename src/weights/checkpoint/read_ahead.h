// Keeps the disk busy while tensors are converted: a thread of its own reads the bytes that will be
// asked for next into the system's cache and maps them. Only a matter of time: bytes that it has
// not read yet are read by whoever touches them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace labelprobe::weights {

class ReadAhead {
 public:
  // Bytes that may be read before they are let go.
  static constexpr std::size_t kWindowBytes = std::size_t{256} << 20;

  // `order`: parts of file mappings, in the order in which they will be asked for. They must stay
  // mapped as long as this object is there.
  explicit ReadAhead(std::vector<std::span<const std::byte>> order,
                     std::size_t window_bytes = kWindowBytes);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // The bytes have been used: their pages no longer count as this process's memory. They may be
  // read again, from the system's cache or the disk.
  void let_go(std::span<const std::byte> bytes);

 private:
  void run();

  std::vector<std::span<const std::byte>> order_;
  std::size_t window_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t n_let_go_ = 0;  // bytes
  bool is_over_ = false;
  std::thread thread_;  // the last member: it uses the others
};

// Tells the system that only a few bytes here and there of this part of a file mapping will be
// asked for next: it had better not read all around them.
void expect_samples(std::span<const std::byte> bytes);

// Reads this part of a file mapping into memory at once, in large pieces.
void fetch_pages(std::span<const std::byte> bytes);

// The pages of this part of a file mapping no longer count as this process's memory. They may be
// read again.
void forget_pages(std::span<const std::byte> bytes);

}  // namespace labelprobe::weights
