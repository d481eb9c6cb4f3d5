// A pack of a prefix tree's nodes on its way through the layers: all that the layers need to know.
// Where several processes compute the model, the first one tells the others of it, who compute the
// same.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/attention/segment_attention.h"
#include "model/decoder/decoder.h"
#include "model/engine/kv_arena.h"
#include "model/parallel/orders.h"

namespace labelprobe::model {

struct PackPass {
  std::int64_t first_row = 0;  // of the arena, which takes the keys and values
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> positions;
  std::vector<KeySegment> segments;
  // The rows whose hidden states are asked for; unset = all.
  std::optional<std::vector<std::int64_t>> kept;
};

Parcel parcel_of(const PackPass& pass, const Decoder& decoder);
PackPass pack_pass_of(Parcel& parcel);

// Hidden states [n, C], as Decoder::forward() gives them. `attention` is planned anew.
at::Tensor compute(const Decoder& decoder,
                   SegmentAttention& attention,
                   KvArena& arena,
                   const PackPass& pass);

// Tells the other processes, if there are any, that a pass begins; it has ended when this goes.
class JointPass {
 public:
  template <class MakeParcel>
  JointPass(const Decoder& decoder, const MakeParcel& make_parcel) : team_(decoder.team()) {
    if (team_ == nullptr || !team_->is_first()) return;
    team_->begin_pass();
    team_->tell(make_parcel().bytes());
  }
  JointPass(const JointPass&) = delete;
  JointPass& operator=(const JointPass&) = delete;
  // Not called behind an exception: then the others wait for what never comes.
  void end() {
    if (team_ != nullptr && team_->is_first()) team_->end_pass();
  }

 private:
  Team* team_;
};

}  // namespace labelprobe::model
