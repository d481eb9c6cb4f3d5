// What a workload takes on this machine's processor: the same work as on a card, at the rates that
// were measured.
#pragma once

#include "model/cost/ledger.h"
#include "model/cost/this_cpu.h"
#include "model/cost/workload.h"

namespace labelprobe::model::cost {

void add_cpu_time(const weights::DecoderConfig& config,
                  const CpuRates& rates,
                  const Workload& workload,
                  Ledger& ledger);

}  // namespace labelprobe::model::cost
