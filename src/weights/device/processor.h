// How one program serves processors of several generations. Own instructions of x86-64 stand in the
// functions that this file's macros mark, in attention_tile.h, lane_sums.h and four_bits_avx512.h;
// each has a plain twin, which compilers make vectors of on any processor: NEON's on aarch64.
#pragma once

#include <string_view>

// Before a function: it is compiled several times, and the processor's best is taken when the
// program starts. What it calls has to be inlined into it to gain as well.
#if defined(__x86_64__) && defined(__GNUC__)
#define LABELPROBE_FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LABELPROBE_FOR_EACH_PROCESSOR
#endif

// Functions for processors with AVX-512, and with its instructions for bfloat16: has_avx512() and
// multiplies_bfloat16() say whether they may be called.
#if defined(__x86_64__) && defined(__GNUC__)
#define LABELPROBE_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))
#define LABELPROBE_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#endif

// Part of a function for each processor; left standing alone it would be compiled for the oldest
// processor.
#if defined(__GNUC__)
#define LABELPROBE_PART __attribute__((always_inline))
#else
#define LABELPROBE_PART
#endif

namespace labelprobe::weights {

// Whether our own code for AVX-512 runs here.
inline bool has_avx512() {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool has_it = __builtin_cpu_supports("avx512f") &&
                             __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512vl");
  return has_it;
#else
  return false;
#endif
}

// Whether pairs of bfloat16 are multiplied by an instruction of their own.
inline bool multiplies_bfloat16() {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool has_it = has_avx512() && __builtin_cpu_supports("avx512bf16");
  return has_it;
#else
  return false;
#endif
}

// Which of its versions runs here, for people.
inline std::string_view processor_generation() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f")) return "AVX512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
  return "any x86-64";
#elif defined(__aarch64__)
  return "NEON";
#else
  return "any processor";
#endif
}

}  // namespace labelprobe::weights
