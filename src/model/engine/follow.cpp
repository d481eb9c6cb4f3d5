#include "model/engine/follow.h"

#include <cstdint>
#include <exception>
#include <map>
#include <new>
#include <optional>
#include <utility>

#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include "labelprobe/core/error.h"

#include "model/engine/following.h"
#include "model/engine/loading.h"
#include "model/engine/pass.h"
#include "model/engine/step_inputs.h"
#include "weights/device/device.h"

namespace labelprobe::model {
namespace {

// What a process holds of a model that the first one has opened.
class Follower {
 public:
  explicit Follower(LoadedModel loaded)
      : decoder_(std::move(loaded.decoder)),
        cache_bytes_per_token_(loaded.info.cache_bytes_per_token),
        pack_attention_(decoder_.device(), decoder_.is_fast()),
        step_(decoder_.device(), decoder_.is_fast()) {}

  void obey(Order order, Parcel& parcel) {
    const c10::DeviceGuard on_device(decoder_.device());
    switch (order) {
      case Order::TellFree:
        free_bytes_for(decoder_, parcel.take<std::int64_t>(), cache_bytes_per_token_);
        return;
      case Order::OpenArena:
        try {
          open_arena(decoder_, parcel.take<std::int64_t>(), arena_);
        } catch (const std::bad_alloc&) {
          // The first process knows, and asks for a smaller one.
        } catch (const c10::Error& error) {
          if (!weights::is_out_of_memory(error)) throw;
        }
        return;
      case Order::Pack:
        decoder_.turn_for(parcel.take<weights::TextLength>());
        compute(decoder_, pack_attention_, arena_.value(), pack_pass_of(parcel));
        return;
      case Order::Step:
        decoder_.turn_for(parcel.take<weights::TextLength>());
        step_.set_all(parcel);
        step_.send();
        step_.forward(decoder_, arena_.value());
        return;
      case Order::Logits:
        decoder_.follow_logits(parcel);
        return;
      case Order::HeadRows:
        decoder_.head_rows(parcel.take_all<TokenId>());
        return;
      case Order::Open:
      case Order::Close:
      case Order::End:
        break;
    }
    LABELPROBE_CHECK(!"an order for a model that is open");
  }

 private:
  Decoder decoder_;
  std::size_t cache_bytes_per_token_;
  std::optional<KvArena> arena_;
  SegmentAttention pack_attention_;
  StepInputs step_;
};

}  // namespace

int follow(Team& team) {
  const c10::InferenceMode no_gradients;
  std::map<std::int64_t, Follower> models;  // by number
  while (true) {
    Parcel parcel(team.hear());
    const auto order = parcel.take<Order>();
    const auto number = parcel.take<std::int64_t>();
    if (order == Order::End) return parcel.take<int>();
    if (order == Order::Close) {
      models.erase(number);
    } else if (order == Order::Open) {
      const auto [path, options] = opening_of(parcel);
      try {
        models.try_emplace(number, load_together(path, options, team, number));
      } catch (const std::exception&) {
        // The first process says so, and may open another one.
        if (!team.is_idle()) throw;
      }
    } else {
      models.at(number).obey(order, parcel);
    }
  }
}

}  // namespace labelprobe::model
