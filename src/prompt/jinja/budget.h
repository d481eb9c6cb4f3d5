// Counts what a chat template uses; how much it may use stands in core/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"

namespace labelprobe::prompt::jinja {

// The day that strftime_now() tells: that of Llama-3.1's published template, so that equal runs
// have equal prompts whenever they are made.
inline constexpr int kTemplateYear = 2024;
inline constexpr int kTemplateMonth = 7;
inline constexpr int kTemplateDay = 26;

// What goes wrong while a template runs. Program adds the line.
class TemplateError : public ModelError {
 public:
  using ModelError::ModelError;
};

// Counts what one rendering uses. Throws TemplateError, naming the limit, when it is used up.
class Budget {
 public:
  void spend_steps(std::size_t n);
  void spend_bytes(std::size_t n);

 private:
  std::int64_t steps_left_ = limits::kTemplateSteps;
  std::int64_t bytes_left_ = limits::kTemplateTextBytes;
};

}  // namespace labelprobe::prompt::jinja
