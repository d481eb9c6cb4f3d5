// How the learning rate moves over the steps of a training: the schedules of transformers'
// optimization.py, by its names.
#pragma once

#include <cstdint>

#include "labelprobe/core/enum_names.h"

namespace labelprobe::training {

enum class Schedule {
  Constant,
  ConstantWithWarmup,
  Linear,  // after the warm-up down to 0 at the last step
  Cosine,  // the same along half a cosine
};

inline constexpr auto kSchedules =
    enum_names<Schedule>("schedule",
                         {{Schedule::Constant, "constant"},
                          {Schedule::ConstantWithWarmup, "constant_with_warmup"},
                          {Schedule::Linear, "linear"},
                          {Schedule::Cosine, "cosine"}});

// Steps of warm-up: the ratio of all, rounded up. Constant has none whatever the ratio says, as
// published.
std::int64_t n_warmup_steps(Schedule schedule, double warmup_ratio, std::int64_t n_steps);

// What the learning rate is multiplied with at a step, counted from 0; within the warm-up it rises
// from 0 in equal parts.
double schedule_factor(Schedule schedule,
                       std::int64_t step,
                       std::int64_t n_warmup_steps,
                       std::int64_t n_steps);

}  // namespace labelprobe::training
