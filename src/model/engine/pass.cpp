#include "model/engine/pass.h"

#include "weights/device/send.h"

namespace labelprobe::model {
namespace {

class PackAttention : public Attention {
 public:
  PackAttention(const Decoder& decoder,
                const SegmentAttention& attention,
                KvArena& arena,
                std::int64_t first_row)
      : decoder_(decoder), attention_(attention), arena_(arena), first_row_(first_row) {}

  at::Tensor attend(int layer,
                    const at::Tensor& queries,
                    const at::Tensor& keys,
                    const at::Tensor& values) override {
    arena_.write(layer, first_row_, keys, values);
    return attention_.attend(queries, arena_.keys(layer), arena_.values(layer),
                             decoder_.attention_form(layer));
  }

 private:
  const Decoder& decoder_;
  const SegmentAttention& attention_;
  KvArena& arena_;
  std::int64_t first_row_;
};

}  // namespace

Parcel parcel_of(const PackPass& pass, const Decoder& decoder) {
  Parcel parcel(Order::Pack, decoder.number());
  parcel.put(decoder.text_length())
      .put(pass.first_row)
      .put(pass.tokens)
      .put(pass.positions)
      .put(pass.segments);
  parcel.put(pass.kept.has_value());
  if (pass.kept) parcel.put(*pass.kept);
  return parcel;
}

PackPass pack_pass_of(Parcel& parcel) {
  PackPass pass;
  pass.first_row = parcel.take<std::int64_t>();
  pass.tokens = parcel.take_all<std::int64_t>();
  pass.positions = parcel.take_all<std::int64_t>();
  pass.segments = parcel.take_all<KeySegment>();
  if (parcel.take<bool>()) pass.kept = parcel.take_all<std::int64_t>();
  return pass;
}

at::Tensor compute(const Decoder& decoder,
                   SegmentAttention& attention,
                   KvArena& arena,
                   const PackPass& pass) {
  JointPass together(decoder, [&] { return parcel_of(pass, decoder); });
  attention.plan(static_cast<std::int64_t>(pass.tokens.size()), pass.segments);
  PackAttention of_pack(decoder, attention, arena, pass.first_row);
  const c10::Device device = decoder.device();
  const at::Tensor hidden =
      decoder.forward(weights::send(pass.tokens, device), weights::send(pass.positions, device),
                      of_pack, pass.kept ? weights::send(*pass.kept, device) : at::Tensor());
  together.end();
  return hidden;
}

}  // namespace labelprobe::model
