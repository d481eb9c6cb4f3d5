// The processes that compute one model together, each its share (share.h), by libtorch's c10d: Gloo
// between processors, NCCL between GPUs where it is there, else Gloo by way of the host. The first
// process (rank 0) decides everything; the others do what it tells them (engine/follow.h). What
// goes across are whole numbers' bytes: nothing is added up on the way.
//   T  rows
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/parallel/world.h"

namespace labelprobe::model {

class Team {
 public:
  // Waits until all processes are there, for five minutes at most. on_lost: told, once, that
  // another process has ended or stopped, on a thread of its own, some seconds after this process
  // could have noticed by itself; it is to end this process. Throws ModelError where they do not
  // find one another.
  Team(const World& world, std::function<void(const std::string&)> on_lost);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  // The one that this process belongs to; null where it is alone.
  static Team* current();

  int rank() const { return world_.rank; }
  int size() const { return world_.size; }
  int local_rank() const { return world_.local_rank; }
  bool is_first() const { return world_.rank == 0; }
  int n_on_host() const { return n_on_host_; }  // on this process's machine, itself included

  // Everything below is done by all processes, in the same order. Throws ModelError if another one
  // cannot be reached any more: then the team is of no further use.

  // What the first process says.
  void tell(std::span<const std::byte> message);
  std::vector<std::byte> hear();
  // The first one's tensor into those of the others, which have its shape and type.
  void send_from_first(const at::Tensor& tensor);
  // Every process's text, by rank.
  std::vector<std::string> collect(const std::string& text);
  // Parts [T, widths[rank]] beside one another, [T, all of them]; contiguous.
  at::Tensor join_columns(const at::Tensor& part, std::span<const std::int64_t> widths);
  // The same on the first process; undefined on all others.
  at::Tensor join_columns_at_first(const at::Tensor& part, std::span<const std::int64_t> widths);
  // Rows of parts [T, C], which all processes have of the same shape: for each row that of its
  // owner, by rank [T] (int64, on the parts' device).
  at::Tensor take_rows(const at::Tensor& part, const at::Tensor& owners);

  // Between begin() and end_pass() the others are in the midst of something: after an exception
  // there the team is of no further use.
  void begin_pass() { is_idle_ = false; }
  void end_pass() { is_idle_ = true; }
  bool is_idle() const { return is_idle_; }

  // The last thing of all: the first process waits, for some seconds, until the others have left.
  void leave();

 private:
  class Connections;
  class Watch;
  bool goes_by_gpu(const at::Tensor& tensor);
  at::Tensor gather(const at::Tensor& part, bool is_at_first);
  at::Tensor join(const at::Tensor& part, std::span<const std::int64_t> widths, bool is_at_first);
  template <class Work>
  void guarded(const Work& work);

  World world_;
  int n_on_host_ = 1;
  bool is_idle_ = true;
  bool knows_gpus_ = false;  // whether all processes have NCCL has been asked
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace labelprobe::model
