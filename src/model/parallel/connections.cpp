#include "model/parallel/connections.h"

#include <cstdlib>
#include <exception>
#include <string_view>

#include <c10/util/Logging.h>
#include <fmt/format.h>
#include <unistd.h>

// Whether the wheel has it was known to those who built it.
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "labelprobe/core/error.h"

#include "weights/device/cuda_operators.h"

namespace labelprobe::model {
namespace {

constexpr std::chrono::minutes kPatience(5);  // until all processes are there
// How long one may wait for another is for the watch to say: what the first process does between
// two messages may take long.
constexpr std::chrono::hours kNoTimeout(24 * 365);

constexpr int kErrorsOnly = 2;  // of c10's levels

c10::intrusive_ptr<c10d::Store> tcp_store(const World& world,
                                          bool is_server,
                                          std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = world.port;
  options.isServer = is_server;
  options.waitWorkers = false;
  options.timeout = timeout;
  return c10::make_intrusive<c10d::TCPStore>(world.address, options);
}

bool is_loopback(std::string_view address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

std::shared_ptr<gloo::transport::Device> network_device(const World& world) {
  if (const char* name = std::getenv("GLOO_SOCKET_IFNAME"); name != nullptr && *name != '\0') {
    return c10d::ProcessGroupGloo::createDeviceForInterface(name);
  }
  // Then all are on this machine, and nobody outside need reach them.
  if (is_loopback(world.address)) {
    return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  }
  return c10d::ProcessGroupGloo::createDefaultDevice();
}

// libtorch's message without its list of calls.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

using MakeGroup = c10d::Backend* (*)(const c10::intrusive_ptr<c10d::Store>&, int, int);

MakeGroup gpu_group_maker() {
  return reinterpret_cast<MakeGroup>(weights::cuda_module_function("labelprobe_make_nccl_group"));
}

}  // namespace

Team::Connections::Connections(const World& world) : world_(world) {
  // What it warns of, with lists of calls, is said here in a sentence.
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = kErrorsOnly;
  try {
    if (world.rank == 0 && !world.has_store) {
      server_ = tcp_store(world, /*is_server=*/true, kPatience);
    }
    if (server_) {
      store_ = c10::make_intrusive<c10d::PrefixStore>(world.prefix, server_);
    } else {
      store_ = open_store(kPatience);
    }
    const auto options = c10d::ProcessGroupGloo::Options::create_default(kPatience);
    options->devices = {network_device(world)};
    group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, world.rank, world.size, options);
    group_->setTimeout(kNoTimeout);
  } catch (const std::exception& error) {
    throw ModelError(fmt::format(
        "process {} of {}: expected to find the others by way of {}:{} within {} minutes; found: "
        "{}; MASTER_ADDR and MASTER_PORT must be the same for all and name the first one's machine "
        "and a port that is free there",
        world.rank + 1, world.size, world.address, world.port, kPatience.count(),
        first_line(error.what())));
  }
}

bool Team::Connections::has_gpu_group() {
  return gpu_group_maker() != nullptr;
}

void Team::Connections::open_gpu_group() {
  const auto store = c10::make_intrusive<c10d::PrefixStore>("gpu", store_);
  gpu_group_ = c10::intrusive_ptr<c10d::Backend>::reclaim(
      gpu_group_maker()(store, world_.rank, world_.size));
}

c10::intrusive_ptr<c10d::Store> Team::Connections::open_store(
    std::chrono::milliseconds timeout) const {
  return c10::make_intrusive<c10d::PrefixStore>(world_.prefix,
                                                tcp_store(world_, /*is_server=*/false, timeout));
}

}  // namespace labelprobe::model
