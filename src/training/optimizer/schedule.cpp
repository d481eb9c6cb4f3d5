#include "labelprobe/training/schedule.h"

#include <algorithm>
#include <cmath>

namespace labelprobe::training {

std::int64_t n_warmup_steps(Schedule schedule, double warmup_ratio, std::int64_t n_steps) {
  if (schedule == Schedule::Constant) return 0;
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(n_steps) * warmup_ratio));
}

double schedule_factor(Schedule schedule,
                       std::int64_t step,
                       std::int64_t n_warmup_steps,
                       std::int64_t n_steps) {
  if (step < n_warmup_steps) return static_cast<double>(step) / static_cast<double>(n_warmup_steps);
  const double done = static_cast<double>(step - n_warmup_steps) /
                      static_cast<double>(std::max<std::int64_t>(1, n_steps - n_warmup_steps));
  switch (schedule) {
    case Schedule::Constant:
    case Schedule::ConstantWithWarmup:
      break;
    case Schedule::Linear:
      return std::max(0.0, 1.0 - done);
    case Schedule::Cosine:
      return std::max(0.0, 0.5 * (1.0 + std::cos(M_PI * done)));
  }
  return 1.0;
}

}  // namespace labelprobe::training
