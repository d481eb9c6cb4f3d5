#include "model/cost/cards.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/model/cost.h"

#include "model/cost/this_cpu.h"

namespace labelprobe::model {
namespace cost {
namespace {

// From NVIDIA's data sheets and architecture white papers: H100 and H200 (2023, 2024), HGX B200
// (2024), A100 (2020), A10, A40 and RTX A6000 (GA102, 2021), L4, L40 and L40S (2023), GeForce RTX
// 3090 and 4090 (GA102 and AD102). GeForce cards multiply halves at half the rate where sums are
// float32: that rate is here.
constexpr std::array kCards = {
    Card{"b200", "NVIDIA B200, 180 GB", 183359, 8.0e12, 2250e12, 1100e12, 75e12, 148, 228},
    Card{"h200", "NVIDIA H200 SXM, 141 GB", 143771, 4.8e12, 989e12, 494e12, 67e12, 132, 228},
    Card{"h100", "NVIDIA H100 SXM, 80 GB", 81559, 3.35e12, 989e12, 494e12, 67e12, 132, 228},
    Card{"h100-pcie", "NVIDIA H100 PCIe, 80 GB", 81559, 2.0e12, 756e12, 378e12, 51e12, 114, 228},
    Card{"a100-80gb", "NVIDIA A100 SXM, 80 GB", 81920, 2.04e12, 312e12, 156e12, 19.5e12, 108, 164},
    Card{"a100-40gb", "NVIDIA A100, 40 GB", 40960, 1.555e12, 312e12, 156e12, 19.5e12, 108, 164},
    Card{"l40s", "NVIDIA L40S, 48 GB", 46068, 0.864e12, 362e12, 183e12, 91.6e12, 142, 100},
    Card{"l40", "NVIDIA L40, 48 GB", 46068, 0.864e12, 181e12, 90.5e12, 90.5e12, 142, 100},
    Card{"l4", "NVIDIA L4, 24 GB", 23034, 0.300e12, 121e12, 60e12, 30.3e12, 58, 100},
    Card{"a40", "NVIDIA A40, 48 GB", 46068, 0.696e12, 149.7e12, 74.8e12, 37.4e12, 84, 100},
    Card{"rtx-a6000", "NVIDIA RTX A6000, 48 GB", 49140, 0.768e12, 154.8e12, 77.4e12, 38.7e12, 84,
         100},
    Card{"a10", "NVIDIA A10, 24 GB", 23028, 0.600e12, 125e12, 62.5e12, 31.2e12, 72, 100},
    Card{"rtx-4090", "NVIDIA GeForce RTX 4090, 24 GB", 24564, 1.008e12, 165.2e12, 82.6e12, 82.6e12,
         128, 100},
    Card{"rtx-3090", "NVIDIA GeForce RTX 3090, 24 GB", 24268, 0.936e12, 71e12, 35.6e12, 35.6e12, 82,
         100},
};

}  // namespace

std::span<const Card> cards() {
  return kCards;
}

const Card& find_card(std::string_view name) {
  std::vector<std::string> known;
  for (const CardName& card : card_names()) known.emplace_back(card.name);
  for (const Card& card : kCards) {
    if (card.name == name) return card;
  }
  throw ConfigError(unknown_choice("card", name, known));
}

CardChoice choose_cards(std::string_view names) {
  CardChoice choice{nullptr, 0};
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const Card& card = find_card(names.substr(begin, end - begin));
    if (choice.card && choice.card != &card) {
      throw ConfigError("device '" + std::string(names) +
                        "': expected cards that are alike, such as h100,h100");
    }
    choice.card = &card;
    ++choice.n;
    begin = end + 1;
  }
  return choice;
}

}  // namespace cost

bool is_card(std::string_view name) {
  const auto all = cost::cards();
  const std::string_view first = name.substr(0, name.find(','));
  return std::any_of(all.begin(), all.end(), [&](const auto& card) { return card.name == first; });
}

std::span<const CardName> card_names() {
  static const std::vector<CardName> names = [] {
    std::vector<CardName> all;
    for (const cost::Card& card : cost::cards()) all.push_back({card.name, card.title});
    all.push_back({cost::kThisCpu, "this machine's processor, measured"});
    return all;
  }();
  return names;
}

}  // namespace labelprobe::model
