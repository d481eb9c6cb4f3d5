// The cards that time is told for: what their makers say, and what of that a program gets.
#pragma once

#include <span>
#include <string_view>

namespace labelprobe::model::cost {

// Rates are those of the data sheets, without sparsity.
struct Card {
  std::string_view name;
  std::string_view title;
  double memory_mib = 0;        // as nvidia-smi shows it
  double bytes_per_second = 0;  // of its memory
  double half_flops = 0;        // products of bfloat16 or float16, sums in float32
  double tf32_flops = 0;
  double float_flops = 0;
  int n_multiprocessors = 0;
  int shared_kib = 0;  // shared memory of a multiprocessor
};

// In the order in which they are listed.
std::span<const Card> cards();

// The one of that name. Throws ConfigError for an unknown one, with the nearest.
const Card& find_card(std::string_view name);

// "h100", or "h100,h100" for a model that is divided over so many of them.
struct CardChoice {
  const Card* card = nullptr;
  int n = 1;
};
// Throws as find_card(), and ConfigError for cards that are not alike.
CardChoice choose_cards(std::string_view names);

// Shares of a rate that programs get.

// An H200 multiplies 8192 x 8192 matrices of random bfloat16 numbers at 790 of its 990 TFLOP/s: its
// power does not allow more.
inline constexpr double kProductShare = 0.80;
// It copies 4.3 of 4.8 TB/s; the A100 and cards with GDDR6 come as near.
inline constexpr double kBandwidthShare = 0.90;
// Clocks under load are below those that the data sheets multiply with.
inline constexpr double kClockShare = 0.88;

// A kernel's blocks start and its last ones end while the card is not full.
inline constexpr double kKernelSeconds = 2.0e-6;
// The same where it is part of a graph: its start is prepared by the card.
inline constexpr double kRecordedKernelSeconds = 1.3e-6;
// The host queues an operator of libtorch in 4 to 6 microseconds.
inline constexpr double kLaunchSeconds = 5.0e-6;
// The host waits for a result, reads it and queues the next kernel.
inline constexpr double kRoundTripSeconds = 40e-6;

// The host's work for each token of a prompt, which sorts prompts into the tree, and for each row
// of a pack, whose attention is planned: 2.2 million tokens took 20 ms, 43,000 rows 9 ms.
inline constexpr double kSortSeconds = 10e-9;
inline constexpr double kPlanSeconds = 0.25e-6;
// To read an answer, note it in the journal, and write it to the log in the end: 2,800 answers took
// 0.19 s of a processor.
inline constexpr double kRecordSeconds = 0.07e-3;

// Until the program has a model to read into: libtorch's libraries, the driver, a context.
inline constexpr double kStartSeconds = 3.0;
// The same on a CPU, where it ends with the packing of weights.
inline constexpr double kCpuStartSeconds = 0.3;
// After it is read: the engine's warm-up, which loads the libraries' kernels.
inline constexpr double kWarmUpSeconds = 1.5;

// Memory that a process takes before its first tensor: the context and the kernels of the libraries
// that are used.
inline constexpr double kContextBytes = 650e6;

}  // namespace labelprobe::model::cost
