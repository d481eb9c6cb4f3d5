// This machine's processor as a card: its rates are measured with the code that the engine computes
// with, on matrices of the model's sizes.
#pragma once

#include <string_view>

#include "labelprobe/weights/precision.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::model::cost {

inline constexpr std::string_view kThisCpu = "cpu";

struct CpuRates {
  double product_flops = 0;    // of packs of prompts
  double step_flops = 0;       // of products of as many rows as a step has
  double attention_flops = 0;  // 4 per dimension of a head and pair of row and key
  double exponentials = 0;     // a second: of gates, and of logits that are summed up
  double bytes_per_second = 0;
  double memory_bytes = 0;  // of the machine; 0 = not known
};

//   n_threads  0 = one per physical core
//   step_rows  rows that a step has
CpuRates measure_this_cpu(const weights::DecoderConfig& config,
                          weights::DType dtype,
                          weights::Quantization quantization,
                          int n_threads,
                          int step_rows);

}  // namespace labelprobe::model::cost
