// What a workload takes on a card: for every kernel the longer one of arithmetic and memory, and
// its start; beside them what the host needs to queue them.
#pragma once

#include <cstdint>

#include "labelprobe/model/open.h"

#include "model/cost/cards.h"
#include "model/cost/ledger.h"
#include "model/cost/workload.h"
#include "weights/families/decoder_config.h"

namespace labelprobe::model::cost {

// A model on a card.
struct CardSetting {
  const Card& card;
  const weights::DecoderConfig& config;
  const OpenOptions& options;
  Quantization quantization = Quantization::None;  // of the linear layers
  int n_top_tokens = 0;                            // that are read of every row of logits
};

// One product of `n_rows` rows with a weight [height, width] of the type computed in.
Item time_of_product(const CardSetting& setting,
                     std::int64_t n_rows,
                     std::int64_t height,
                     std::int64_t width);

// To make such a weight of the codes that it is kept in; nothing where it is kept as it is.
Item time_of_unpacking(const CardSetting& setting, std::int64_t height, std::int64_t width);

void add_card_time(const CardSetting& setting, const Workload& workload, Ledger& ledger);

}  // namespace labelprobe::model::cost
