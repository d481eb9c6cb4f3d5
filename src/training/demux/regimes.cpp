#include <algorithm>
#include <array>

#include "labelprobe/training/demux.h"

namespace labelprobe::training {

namespace {

constexpr std::array kRegimes = {
    DemuxRegime{"GoEmotions", 20, 128},      DemuxRegime{"MFRC", 20, 128},
    DemuxRegime{"SemEval", 30, 64},          DemuxRegime{"Hatexplain", 30, 64, "f1"},
    DemuxRegime{"MSPPodcast", 30, 64, "f1"}, DemuxRegime{""},
};

}  // namespace

std::span<const DemuxRegime> demux_regimes() {
  return kRegimes;
}

const DemuxRegime& demux_regime(std::string_view task) {
  const auto found = std::find_if(kRegimes.begin(), kRegimes.end(),
                                  [&](const DemuxRegime& regime) { return regime.task == task; });
  return found == kRegimes.end() ? kRegimes.back() : *found;
}

}  // namespace labelprobe::training
