// How one program serves processors of several generations.
#pragma once

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
