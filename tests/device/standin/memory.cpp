// Device memory, pinned memory and copies. The host faults where it touches device memory; a copy
// happens when its stream is waited for; pinned memory that a copy still needs may not change.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include "report.h"
#include "world.h"

namespace standin {
namespace {

// What was never written is NaN, in every type.
constexpr int kUnwritten = 0xff;

std::size_t whole_pages(std::size_t n) {
  static const auto n_page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (n + n_page - 1) / n_page * n_page;
}

void on_fault(int signal, siginfo_t* info, void*) {
  if (allocation_of(info->si_addr)) {
    complain("the host touched device memory");
    write_report();
    ::_exit(99);
  }
  std::signal(signal, SIG_DFL);
}

void watch_faults() {
  static const bool is_watching = [] {
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    return ::sigaction(SIGSEGV, &action, nullptr) == 0;
  }();
  static_cast<void>(is_watching);
}

// The two views of new memory; null where the machine has none.
Allocation map_memory(std::size_t n, int device) {
  const int file = ::memfd_create("device memory", 0);
  const std::size_t n_mapped = whole_pages(n);
  if (::ftruncate(file, static_cast<off_t>(n_mapped)) != 0) return {};
  void* address = ::mmap(nullptr, n_mapped, PROT_NONE, MAP_SHARED, file, 0);
  void* alias = ::mmap(nullptr, n_mapped, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (address == MAP_FAILED || alias == MAP_FAILED) return {};
  if (has_numbers()) std::memset(alias, kUnwritten, n);
  return {static_cast<char*>(address), static_cast<char*>(alias), n, device};
}

// One end of a copy.
struct Place {
  char* bytes = nullptr;
  bool is_on_device = false;
  bool is_pinned = false;
};

Place place_of(const void* address, std::size_t n) {
  const Allocation* allocation = allocation_of(address);
  if (!allocation) {
    return {static_cast<char*>(const_cast<void*>(address)), false, is_pinned(address)};
  }
  const std::size_t offset = static_cast<const char*>(address) - allocation->address;
  if (offset + n > allocation->n_bytes) complain("a copy goes beyond its device memory");
  return {allocation->alias + offset, true, false};
}

const char* name_of(const Place& to, const Place& from) {
  if (to.is_on_device) {
    return from.is_on_device ? "copies device to device" : "copies host to device";
  }
  return from.is_on_device ? "copies device to host" : "copies host to host";
}

cudaError_t copy(
    void* to_address, const void* from_address, std::size_t n, Stream* stream, bool waits) {
  if (n == 0) return cudaSuccess;
  const Place to = place_of(to_address, n);
  const Place from = place_of(from_address, n);
  count(name_of(to, from));
  const auto is_pageable = [](const Place& place) {
    return !place.is_on_device && !place.is_pinned;
  };
  if (stream->capture && (is_pageable(to) || is_pageable(from))) {
    complain("a copy of pageable memory is recorded");
  }
  if (from.is_on_device) {
    // Who reads the result too early shall see it.
    if (to.is_pinned && !stream->capture) std::memset(to.bytes, kUnwritten, n);
    push(stream, [=] {
      if (has_numbers() || !to.is_on_device) std::memcpy(to.bytes, from.bytes, n);
    });
    waits |= is_pageable(to);
  } else {
    // A copy from pageable memory is staged before the call returns; pinned memory is read late.
    std::vector<char> then(from.bytes, from.bytes + n);
    push(stream, [=, then = std::move(then)] {
      if (from.is_pinned && !is_pinned(from.bytes)) {
        complain("pinned memory was freed before its copy ran");
      } else if (from.is_pinned && std::memcmp(then.data(), from.bytes, n) != 0) {
        complain("pinned memory changed before its copy ran");
      }
      if (has_numbers() || !to.is_on_device) std::memcpy(to.bytes, then.data(), n);
    });
  }
  if (!waits) return cudaSuccess;
  if (stream->capture) return refuse_in_capture("a copy that the host waits for");
  wait_for(stream, stream->n_queued);
  return cudaSuccess;
}

template <typename Map>
auto containing(Map& map, const void* address) {
  auto next = map.upper_bound(reinterpret_cast<std::uintptr_t>(address));
  return next == map.begin() ? map.end() : std::prev(next);
}

}  // namespace

const Allocation* allocation_of(const void* address) {
  auto& all = World::get().allocations;
  const auto found = containing(all, address);
  if (found == all.end()) return nullptr;
  return static_cast<const char*>(address) < found->second.address + found->second.n_bytes
             ? &found->second
             : nullptr;
}

char* alias_of(const void* address) {
  const Allocation* allocation = allocation_of(address);
  return allocation ? allocation->alias + (static_cast<const char*>(address) - allocation->address)
                    : nullptr;
}

bool is_pinned(const void* address) {
  auto& all = World::get().pinned;
  const auto found = containing(all, address);
  return found != all.end() &&
         reinterpret_cast<std::uintptr_t>(address) < found->first + found->second;
}

}  // namespace standin

using namespace standin;

extern "C" {

cudaError_t cudaMalloc(void** result, std::size_t n) {
  World& world = World::get();
  const Lock lock(world.mutex);
  watch_faults();
  const long n_before = world.counts["device allocations"]++;
  if (is_capturing()) return refuse_in_capture("cudaMalloc");
  if (const long error = setting("STANDIN_MEMORY_ERROR", 0)) {
    return failed(static_cast<cudaError_t>(error));
  }
  const int device = current_device();
  Allocation allocation;
  if (world.n_used[device] + n <= world.n_bytes &&
      n_before + 1 != setting("STANDIN_FAIL_ALLOCATION", -1)) {
    allocation = map_memory(n, device);
  }
  if (!allocation.address) {
    count("device allocations refused");
    return failed(cudaErrorMemoryAllocation);
  }
  world.allocations[reinterpret_cast<std::uintptr_t>(allocation.address)] = allocation;
  world.n_used[device] += n;
  world.n_peak[device] = std::max(world.n_peak[device], world.n_used[device]);
  *result = allocation.address;
  return cudaSuccess;
}

cudaError_t cudaFree(void* address) {
  World& world = World::get();
  const Lock lock(world.mutex);
  if (!address) return cudaSuccess;
  const auto found = world.allocations.find(reinterpret_cast<std::uintptr_t>(address));
  if (found == world.allocations.end()) {
    complain("cudaFree of what is no device memory");
    return failed(cudaErrorInvalidValue);
  }
  count("device memory freed");
  if (is_capturing()) return refuse_in_capture("cudaFree");
  for (Stream* stream : world.streams) {
    if (!stream->capture) work_off(stream);
  }
  const Allocation allocation = found->second;
  world.allocations.erase(found);
  world.n_used[allocation.device] -= allocation.n_bytes;
  ::munmap(allocation.address, whole_pages(allocation.n_bytes));
  ::munmap(allocation.alias, whole_pages(allocation.n_bytes));
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* n_free, std::size_t* n_total) {
  World& world = World::get();
  const Lock lock(world.mutex);
  // In exclusive mode the first call that needs a context is refused.
  if (const long error = setting("STANDIN_MEMORY_ERROR", 0); error == cudaErrorDevicesUnavailable) {
    return failed(static_cast<cudaError_t>(error));
  }
  *n_total = world.n_bytes;
  *n_free = world.n_bytes - std::min(world.n_bytes, world.n_used[current_device()]);
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** result, std::size_t n, unsigned) {
  World& world = World::get();
  const Lock lock(world.mutex);
  count("pinned allocations");
  if (is_capturing()) return refuse_in_capture("cudaHostAlloc");
  *result = std::aligned_alloc(whole_pages(1), whole_pages(n));
  world.pinned[reinterpret_cast<std::uintptr_t>(*result)] = n;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* address) {
  const Lock lock(World::get().mutex);
  World::get().pinned.erase(reinterpret_cast<std::uintptr_t>(address));
  std::free(address);
  return cudaSuccess;
}

cudaError_t cudaHostRegister(void* address, std::size_t n, unsigned) {
  const Lock lock(World::get().mutex);
  World::get().pinned[reinterpret_cast<std::uintptr_t>(address)] = n;
  return cudaSuccess;
}

cudaError_t cudaHostUnregister(void* address) {
  const Lock lock(World::get().mutex);
  World::get().pinned.erase(reinterpret_cast<std::uintptr_t>(address));
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
  const Lock lock(World::get().mutex);
  *attributes = {};
  if (const Allocation* allocation = allocation_of(address)) {
    attributes->type = cudaMemoryTypeDevice;
    attributes->device = allocation->device;
    attributes->devicePointer = const_cast<void*>(address);
  } else if (is_pinned(address)) {
    attributes->type = cudaMemoryTypeHost;
    attributes->hostPointer = const_cast<void*>(address);
  } else {
    attributes->type = cudaMemoryTypeUnregistered;
  }
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(
    void* to, const void* from, std::size_t n, cudaMemcpyKind, cudaStream_t stream) {
  const Lock lock(World::get().mutex);
  return copy(to, from, n, stream_of(stream), false);
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t n, cudaMemcpyKind) {
  const Lock lock(World::get().mutex);
  return copy(to, from, n, stream_of(nullptr), true);
}

cudaError_t cudaMemcpyPeerAsync(
    void* to, int, const void* from, int, std::size_t n, cudaStream_t stream) {
  const Lock lock(World::get().mutex);
  complain("a copy between GPUs");
  return copy(to, from, n, stream_of(stream), false);
}

cudaError_t cudaMemsetAsync(void* address, int value, std::size_t n, cudaStream_t stream) {
  const Lock lock(World::get().mutex);
  count("memsets");
  const Place to = place_of(address, n);
  push(stream_of(stream), [=] {
    if (has_numbers()) std::memset(to.bytes, value, n);
  });
  return cudaSuccess;
}

cudaError_t cudaMemset(void* address, int value, std::size_t n) {
  return cudaMemsetAsync(address, value, n, nullptr);
}

}  // extern "C"
