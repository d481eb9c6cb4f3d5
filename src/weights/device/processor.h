// How one program serves processors of several generations.
#pragma once

#include <string_view>

// Before a function: it is compiled several times, and the processor's best is taken when the
// program starts. What it calls has to be inlined into it to gain as well.
#if defined(__x86_64__) && defined(__GNUC__)
#define LABELPROBE_FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LABELPROBE_FOR_EACH_PROCESSOR
#endif

// Part of such a function; left standing alone it would be compiled for the oldest processor.
#if defined(__GNUC__)
#define LABELPROBE_PART __attribute__((always_inline))
#else
#define LABELPROBE_PART
#endif

namespace labelprobe::weights {

// Which of its versions runs here, for people.
inline std::string_view processor_generation() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f")) return "AVX512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
  return "any x86-64";
#else
  return "any processor";
#endif
}

}  // namespace labelprobe::weights
